"""The corpus of `corpus.py` as examples, in the format that convert writes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from corpus import batches

from graft import io
from graft.data.columns import from_lines
from graft.records import EXAMPLE_SCHEMA


def write_examples(folder: Path, rows: int) -> None:
    """Write the corpus as examples."""
    lines = (
        {"id": f"{n}", "where": f"f:{n}", "references": [], "split": None}
        | {"group": "", "stratum": "all", "messages": _turns(*pair)}
        for n, pair in enumerate(p for f in batches(rows, 0.01, 0) for p in f.rows())
    )
    tables = (from_lines(list(part), EXAMPLE_SCHEMA) for part in batched(lines, 50_000))
    io.write_batches(folder, tables, EXAMPLE_SCHEMA)


def _turns(english: str, french: str) -> list[dict[str, str]]:
    turns = (("user", english), ("assistant", french))
    return [{"role": role, "content": text} for role, text in turns]


def batched(items: Iterable[Any], size: int) -> Iterator[tuple[Any, ...]]:
    """Tuples of `size` items; `itertools.batched` from Python 3.12."""
    left = iter(items)
    while part := tuple(islice(left, size)):
        yield part
