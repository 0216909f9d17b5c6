"""Small SentencePiece models, trained in a second on two sentences."""

from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceTrainer
from settings import model_in

from graft.config import PromptConfig
from graft.prompts import load_template
from graft.prompts.template import Template

TEXT = ["The cat sleeps in the red house.", "Le chat dort.\n\tDeux fois."]


def train(path: Path, **options: Any) -> Path:
    """A folder with a small SentencePiece model."""
    SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT * 30),
        model_prefix=str(path / "tokenizer"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    (path / "config.json").write_text("{}")
    return path


def load(folder: Path, style: str, pattern: str | None) -> Template:
    prompt = PromptConfig.model_validate(
        {
            "style": style,
            "pattern": pattern,
            "system": None,
            "paraphrases": [],
            "num_paraphrases": 0,
            "date": None,
        }
    )
    model = model_in(folder)
    return load_template(model, prompt)
