"""Rejects as the stages write them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from graft import io
from graft.curation.rejects import STAGES
from graft.records import REJECT_SCHEMA


def example(text: str) -> dict[str, Any]:
    return {
        "id": "user",
        "messages": [{"role": "user", "content": text}],
        "references": ["ref"],
        "stratum": "all",
    }


def line(stage: str, reason: str, where: str, row: Any, **more: str) -> dict[str, str]:
    shown = {"value": "a\x1b[2Jb\u202ec", "expected": "e", "fix": f"mend {reason}"}
    whole = row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)
    named = {"where": where, "stage": stage, "reason": reason, "id": f"id of {where}"}
    return shown | named | {"row": whole} | more


LINES = [
    line("convert", "missing field", "a.jsonl:1", {"en": 'say "é"', "user": 7}),
    line("convert", "broken JSON", "a.jsonl:2", "", value='{"en": "b'),
    line("convert", "missing field", "a.jsonl:3", r'["\ud800"]'),
    line("preprocess", "too long", "a.jsonl:4", example('line\nof "é"')),
    line("preprocess", "too long", "a.jsonl:40", example("other")),
    line("preprocess", "too long", "b/c.jsonl:4", example("third")),
    line("preprocess", "duplicate", "b/c.jsonl:5", example("twin")),
    line("preprocess", "near-duplicate", "b/c.jsonl:6", example("sibling")),
    line("preprocess", "personal data", "b/c.jsonl:7", example("me@example.org")),
    line("tokenize", "too many tokens", "b/c.jsonl:8", "", id=""),
    line("split", "overlaps held-out data", "b/c.jsonl:9", example("leak")),
]


def write_stage_rejects(folder: Path) -> Path:
    """Write the rejects of each stage to its subfolder; returns the folder."""
    for stage in STAGES:
        lines = [one for one in LINES if one["stage"] == stage]
        table = pa.Table.from_pylist(lines, REJECT_SCHEMA)
        io.write_batches(folder / stage, [table], REJECT_SCHEMA)
    return folder
