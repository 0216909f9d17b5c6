"""Requests without drift and with six kinds of it, for `drift_power.py`."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "fixtures")]

from graft.config.params import load_params  # noqa: E402  # pylint: disable=C0413
from graft.monitoring.features import (  # noqa: E402  # pylint: disable=C0413
    FEATURE_SCHEMA,
    to_features,
)
from graft.prompts import Template, load_template  # noqa: E402  # pylint: disable=C0413
from graft.records import Message  # noqa: E402  # pylint: disable=C0413
from sample.grammar import sentence  # noqa: E402  # pylint: disable=C0413

NUM_GENERATED = 20_000
NUM_POOL = 2_500
PATTERN = "Translate into French: {source}\nAnswer:"
"""Of another template."""


@dataclass(frozen=True)
class Requests:
    """Features of requests.

    Args:
        same: without drift, in the order of the file.
        pools: with drift, by its kind.
    """

    same: pa.Table
    pools: Mapping[str, pa.Table]


def generated(seed: int) -> Requests:
    """Sentences of the sample's grammar."""
    rng = Random(seed)
    pairs = [sentence(rng) for _ in range(NUM_GENERATED)]
    lines = (ROOT / "data/miniatures/instructions.jsonl").read_text("utf-8")
    others = {
        "other language": [pair.fr for pair in pairs[:NUM_POOL]],
        "other domain": [json.loads(x)["instruction"] for x in lines.splitlines()],
    }
    return _to_requests([pair.en for pair in pairs], others, rng)


def given(source: str, others: Sequence[str], seed: int) -> Requests:
    """Texts of files, and further pools of others: NAME=FILE."""
    named = dict(other.split("=", 1) for other in others)
    pools = {name: read_texts(path) for name, path in named.items()}
    return _to_requests(read_texts(source), pools, Random(seed))


def read_texts(source: str) -> list[str]:
    """The texts of a file: lines, or a field of Parquet, JSON or JSON Lines
    (FILE:FIELD)."""
    name, _, field = source.partition(":")
    path = Path(name)
    if path.suffix == ".parquet":
        texts: list[Any] = pq.read_table(path)[field].to_pylist()
    elif path.suffix == ".json":
        texts = [row[field] for row in json.loads(path.read_text("utf-8"))]
    else:
        lines = path.read_text("utf-8").splitlines()
        texts = [json.loads(line)[field] if field else line for line in lines]
    return [text for text in texts if text and text.strip()]


def _to_requests(
    texts: Sequence[str], others: Mapping[str, Sequence[str]], rng: Random
) -> Requests:
    params = load_params(ROOT / "params.yaml")
    template = load_template(params.model, params.prompt)
    prompt = params.prompt.model_copy(update={"pattern": PATTERN})
    some = rng.sample(texts, min(2 * NUM_POOL, len(texts)))
    half = len(some) // 2
    drifted = {
        **others,
        "twice the length": [
            f"{a} {b}" for a, b in zip(some[:half], some[half:], strict=False)
        ],
        "code instead of prose": list(_code_snippets())[:NUM_POOL],
        "personal data": [_with_address(text, rng) for text in some[:half]],
    }
    pools = {name: _to_table(lines, template) for name, lines in drifted.items()}
    other = load_template(params.model, prompt)
    pools["another template"] = _to_table(some[:half], other)
    return Requests(_to_table(texts, template), pools)


def _to_table(texts: Sequence[str], template: Template) -> pa.Table:
    rows = []
    for text in texts:
        ids = template.encode_prompt([Message(role="user", content=text)])
        rows.append(to_features(text, ids).to_row())
    return pa.Table.from_pylist(rows, FEATURE_SCHEMA)


def _code_snippets() -> Iterator[str]:
    """Three lines of the package's own source at a time."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        for at in range(0, len(lines) - 2, 3):
            yield "\n".join(lines[at : at + 3])


def _with_address(text: str, rng: Random) -> str:
    """The text with an e-mail address or a telephone number as its last word."""
    name = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6))
    number = f"+33 6 {rng.randint(10, 99)} {rng.randint(10, 99)} 34 56"
    found = rng.choice([f"{name}@example.org", number])
    return " ".join([*text.rstrip(".?!").split()[:-1], found])
