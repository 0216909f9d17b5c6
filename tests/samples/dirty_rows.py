"""Pairs with defects, a tokenizer and settings, to compare engines of the pipeline."""

import json
import random
from pathlib import Path

from settings import model_in
from translation_pairs import preprocess_config

from graft import io
from graft.config import ModelConfig, TokenizeConfig

CLEAN = preprocess_config(near_duplicates={"policy": "drop"})
TOKENIZE = TokenizeConfig(
    max_seq_len=168, overlong="drop", overlap=0, trained_answers="all", num_shown=2
)


def write_rows(path: Path, num_rows: int) -> None:
    """Write random pairs, one in ten with a defect: near-duplicate, PII, bad line."""
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghij", k=5)) for _ in range(5000)]
    lines = []
    for n in range(num_rows):
        english, french = (" ".join(rng.choices(words, k=12)) for _ in range(2))
        if n % 20 == 7:
            row = json.loads(lines[-3 - n % 3])
            english, french = f"{row['en']} added", f"{row['fr']} ajouté"
        elif n % 20 == 17:
            english += (" a@example.org", " Ã©tÃ©", " <b>x</b>", "   ")[n // 20 % 4]
        lines.append(json.dumps({"en": english, "fr": french}))
    lines[5::500] = ['{"en": "half'] * len(lines[5::500])
    path.write_text("\n".join(lines), encoding="utf-8")


def make_tokenizer(folder: Path) -> ModelConfig:
    """Write a byte-level tokenizer; the folder has no weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    trainer = trainers.BpeTrainer(
        special_tokens=list(names.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["text"], trainer)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    io.write_json(folder / "tokenizer_config.json", names)
    return model_in(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of each file, by path."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
