"""deploy/compose/.env.example → deploy/compose/.env, with a random text for each secret
that is empty. An existing file keeps its values."""

import hashlib
import json
import os
import re
import secrets
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "deploy/compose"
_LINE = re.compile(r"(?P<name>[A-Z0-9_]+)=(?P<value>.*)")
KEYS, KEY = "API_KEYS", "GRAFT_API_KEY"


def fill(example: str, known: dict[str, str]) -> str:
    """The text of .env.

    Args:
        example: the text of .env.example.
        known: values that are kept.
    """
    values: dict[str, str] = {}
    lines = []
    for line in example.splitlines():
        if match := _LINE.fullmatch(line):
            name = match["name"]
            value = known.get(name) or match["value"]
            if not value and name == KEYS:
                digest = hashlib.sha256(values[KEY].encode()).hexdigest()
                value = f"'{json.dumps({'demo': digest})}'"
            values[name] = value or secrets.token_hex(24)
            line = f"{name}={values[name]}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def read(text: str) -> dict[str, str]:
    """Values by name."""
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    return {one["name"]: one["value"] for one in found if one}


def write(file: Path, example: Path) -> None:
    """Write the file, which only its owner can read."""
    known = read(file.read_text("utf-8")) if file.is_file() else {}
    text = fill(example.read_text("utf-8"), known)
    partial = file.with_name(f".{file.name}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    partial.replace(file)


if __name__ == "__main__":
    write(FOLDER / ".env", FOLDER / ".env.example")
    print(FOLDER / ".env")
