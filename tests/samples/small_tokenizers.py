"""Small tokenizers of three kinds, trained in a second on a few sentences."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graft.config import ModelConfig, PromptConfig
from graft.prompts import Template, load_template
from graft.records import Message

TEXTS = [
    "English: The cat sleeps.\nFrench: Le chat dort.",
    "Où est-elle allée ? Elle n'a pas 12 345 € — c'est l'été…",
    "def f(x):\n    return x  # indented\n\n\tand tabs",
] * 20

QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHATML_MARKED = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>"
    "{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}{{ '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_level() -> Any:
    """Byte-level BPE as GPT-2 has it, with <s> and </s>."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def qwen_like() -> Any:
    """Byte-level BPE with Qwen2.5's split pattern and control tokens; no BOS."""
    from tokenizers import (
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def metaspace() -> Any:
    """A BPE that opens each text with ▁, as conversions from SentencePiece do."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<unk>", "<s>", "</s>"]
        + [f"<0x{byte:02X}>" for byte in range(256)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = content["added_tokens"][:3]
    return Tokenizer.from_str(json.dumps(content))


def prepending() -> Any:
    """The same as in Llama's conversion: a normalizer writes each ▁."""
    from tokenizers import Tokenizer, normalizers

    content = json.loads(metaspace().to_str())
    content["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    return tokenizer


KINDS: dict[str, tuple[Callable[[], Any], dict[str, str]]] = {
    "byte_level": (
        byte_level,
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
    "qwen": (
        qwen_like,
        {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
    ),
    "metaspace": (
        metaspace,
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
    "prepending": (
        prepending,
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
}


def save_all(root: Path) -> dict[str, Path]:
    """Make a model's folder (its tokenizer only) of each kind under `root`."""
    for kind, (make, names) in KINDS.items():
        folder = root / kind
        folder.mkdir()
        make().save(str(folder / "tokenizer.json"))
        config: dict[str, object] = {**names, "unused_token": None}
        if kind == "qwen":
            config["chat_template"] = CHATML
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return {kind: root / kind for kind in KINDS}


def load(
    path: Path | str,
    *,
    pattern: str | None = None,
    system: str | None = None,
    date: str | None = None,
) -> Template:
    """A template of a tokenizer's folder, or of mistral-common:vN."""
    official = str(path).startswith("mistral-common:")
    model = ModelConfig(
        path="none" if official else str(path),
        revision="0" * 16,
        tokenizer=str(path) if official else None,
        num_parameters=1,
        dtype="bfloat16",
        license=None,
    )
    style = "chat" if pattern is None else "pattern"
    prompt = PromptConfig(
        style=style,
        pattern=pattern,
        system=system,
        paraphrases=[],
        num_paraphrases=0,
        date=date,
    )
    return load_template(model, prompt)


def with_template(folder: Path, jinja: str) -> Template:
    """The template of a folder, with this as its chat template."""
    (folder / "chat_template.jinja").write_text(jinja)
    return load(folder)


def trained_text(template: Template, chat: Sequence[Message]) -> str:
    """The text of a chat that carries loss, with control tokens by name."""
    one = template.encode([chat])[0]
    pairs = zip(one.input_ids, one.loss_mask, strict=True)
    return template.show([token for token, mark in pairs if mark])


def render(template: Template, chat: Sequence[Message]) -> str:
    """A chat as the model reads it, with control tokens by name."""
    if chat[-1]["role"] == "user":
        return template.show(template.encode_prompt(chat))
    return template.show(template.encode([chat])[0].input_ids)


def user(content: str) -> Message:
    return Message(role="user", content=content)


def assistant(content: str) -> Message:
    return Message(role="assistant", content=content)


def system(content: str) -> Message:
    return Message(role="system", content=content)
