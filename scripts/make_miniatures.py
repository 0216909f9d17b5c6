"""Writes data/miniatures: small data sets for four tasks, from grammars.

The same seed gives the same bytes. `python scripts/make_miniatures.py --out FOLDER`
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from miniatures.chats import chats
from miniatures.instructions import instructions
from miniatures.novel import paragraphs
from miniatures.questions import contexts, to_rows
from miniatures.squad import to_squad

SEED = 20
DEFAULT_DIR = Path(__file__).parents[1] / "data/miniatures"


def build_files(seed: int = SEED) -> dict[str, str]:
    """Name and text of every file; each is drawn on its own, so none moves another."""

    def rng(name: str) -> Random:
        return Random(f"{seed}/{name}")

    asked = contexts(rng("questions"))
    squad = json.dumps(to_squad(asked), ensure_ascii=False, indent=1)
    return {
        "instructions.jsonl": _to_lines(instructions(rng("instructions"))),
        "novel.txt": "".join(f"{line}\n" for line in paragraphs(rng("novel"))),
        "questions.jsonl": _to_lines(to_rows(asked)),
        "questions_squad.json": f"{squad}\n",
        "chats.jsonl": _to_lines(chats(rng("chats"))),
    }


def _to_lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(
        json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
        for row in rows
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_DIR)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, text in build_files(args.seed).items():
        (args.out / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {text.count(chr(10)):,} lines, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
