"""What the JSON files beside a tokenizer say of it."""

from pathlib import Path
from typing import Any

from graft.errors import TemplateError
from graft.io import read_json


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is no file. Raises: TemplateError."""
    found = read_json(path) if path.is_file() else {}
    if not isinstance(found, dict):
        raise TemplateError(
            str(path),
            f"is JSON, but not an object ({type(found).__name__})",
            expected="an object",
            fix="restore the file",
        )
    return found


def special_names(folder: Path) -> dict[str, str]:
    """bos_token, eos_token, … → the token's text, as the model's files name them."""
    names: dict[str, str] = {}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        for key, value in read_object(folder / file).items():
            text = value.get("content") if isinstance(value, dict) else value
            if key.endswith("_token") and isinstance(text, str):
                names[key] = text
    return names


def adds_bos(folder: Path) -> bool:
    """Whether the model's texts begin with BOS: they do unless its files exclude it,
    as GPT-2's do."""
    names = read_object(folder / "tokenizer_config.json")
    return names.get("add_bos_token") is not False
