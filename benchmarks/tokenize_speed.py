"""Compare the speed of the tokenize stage with that of the bare tokenizer.

    python benchmarks/tokenize_speed.py [NUM_PAIRS] [STYLE]

Short pairs of the sample, each made unique by a number, with models/tiny. The bare
tokenizer encodes the same strings as the prompt template (a prompt and an answer per
pair), 4,096 at a time, and its results are discarded. The stage converts Arrow tables
of examples to Arrow tables of sequences, with the local engine. Both use all cores and
run alternately, five times. Prints the best of each and their ratio, as slower runs on
a shared machine depend on its other load.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa

from graft.config import ModelConfig, PromptConfig, TokenizeConfig
from graft.data.tokenize.sequences import SequenceSettings, to_sequences
from graft.engine.local import LocalEngine, num_cores
from graft.prompts import load_template
from graft.prompts.tokenizers import RustTokenizer
from graft.records import EXAMPLE_SCHEMA
from graft.stages.tokenize import BATCH

ROOT = Path(__file__).parents[1]


def read_pairs(num: int) -> list[tuple[str, str]]:
    """The sample's clean pairs, repeated, each with a unique number."""
    text = (ROOT / "data/sample/pairs.jsonl").read_bytes().decode(errors="replace")
    rows = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
            rows.append((row["en"] + " ", row["fr"] + " "))
        except (ValueError, TypeError, KeyError):
            continue  # the sample has invalid rows on purpose
    rows = [row for row in rows if "<" not in row[0] + row[1]]
    chosen = (rows[number % len(rows)] for number in range(num))
    return [(f"{en}{n}", f"{fr}{n}") for n, (en, fr) in enumerate(chosen)]


def to_table(pairs: list[tuple[str, str]]) -> pa.Table:
    """The pairs as examples."""
    lines = [
        {
            "id": f"id{number}",
            "messages": [
                {"role": "user", "content": source},
                {"role": "assistant", "content": target},
            ],
            "references": [],
            "group": str(number),
            "stratum": "",
            "split": None,
            "where": f"pairs:{number}",
        }
        for number, (source, target) in enumerate(pairs)
    ]
    return pa.Table.from_pylist(lines, EXAMPLE_SCHEMA)


def seconds(work: Callable[[], None]) -> float:
    """Wall-clock time of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Time both, alternating."""
    num = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    style = sys.argv[2] if len(sys.argv) > 2 else "pattern"
    os.chdir(ROOT)
    prompt = PromptConfig.model_validate(
        {
            "style": style,
            "pattern": "English: {source}\nFrench:" if style == "pattern" else None,
            "system": None,
            "paraphrases": [],
            "num_paraphrases": 0,
            "date": None,
        }
    )
    model = ModelConfig(
        path="models/tiny",
        revision="0" * 16,
        tokenizer=None,
        num_parameters=1,
        dtype="bfloat16",
        license=None,
    )
    template = load_template(model, prompt)
    limits = TokenizeConfig(
        max_seq_len=512,
        overlong="drop",
        overlap=0,
        num_shown=1,
        trained_answers="all",
    )
    settings = SequenceSettings(limits, prompt)
    table = to_table(read_pairs(num))
    tokenizer = RustTokenizer(ROOT / "models/tiny", reads_control=style == "chat")
    strings: list[str] = []

    def record(texts: list[str], *, start: bool) -> object:
        strings.extend(texts)
        return RustTokenizer.encode(tokenizer, texts, start=start)

    spied = load_template(model, prompt)
    spied._tokenizer.encode = record  # type: ignore[method-assign]  # pylint: disable=W0212
    tables = [pa.Table.from_batches([b]) for b in table.to_batches(BATCH)]
    for part in tables:
        to_sequences(part, spied, settings)
    num_mb = sum(len(text.encode()) for text in strings) / 1e6
    rust = tokenizer._start  # pylint: disable=protected-access

    def bare(method: str) -> None:
        encode = getattr(rust, method)
        for at in range(0, len(strings), BATCH):
            encode(strings[at : at + BATCH], add_special_tokens=False)

    def stage() -> None:
        work = partial(to_sequences, template=template, settings=settings)
        for _ in LocalEngine(num_cores()).map(work, tables):
            pass

    sides: dict[str, Callable[[], None]] = {
        "encode_batch": lambda: bare("encode_batch"),
        "encode_batch_fast": lambda: bare("encode_batch_fast"),
        "graft": stage,
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(5):
        for name, work in sides.items():
            found[name].append(num_mb / seconds(work))
    speeds = {name: max(values) for name, values in found.items()}
    for name, speed in speeds.items():
        print(f"{name:18} {speed:.2f} MB/s ({speeds['graft'] / speed:.2f}x)")


if __name__ == "__main__":
    main()
