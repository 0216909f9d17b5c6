"""Rows of a request log with a canary and a champion, from a seed."""

from typing import Any

import numpy as np
import pyarrow as pa

START_MS = 1_700_000_000_000


def served(
    number: int,
    group: str,
    *,
    seed: int = 0,
    error_rate: float = 0.005,
    slower: float = 1.0,
    longer: float = 1.0,
    version: str | None = None,
    clients: int = 60,
    start_ms: int = START_MS,
    **columns: Any,
) -> list[dict[str, Any]]:
    """Requests of one group, one each 100 ms.

    Args:
        columns: values that replace those of all rows.
    """
    random = np.random.default_rng([seed, len(group)])
    rows = []
    for place in range(number):
        prompt, tokens = random.lognormal(4, 0.5), random.lognormal(4, 0.4) * longer
        first, each = 0.1 * random.lognormal(0, 0.4), 0.02 * random.lognormal(0, 0.3)
        client = f"{group} {random.integers(clients)}"
        row: dict[str, Any] = {
            "time_ms": start_ms + 100 * place,
            "id": f"{group}-{seed}-{place}",
            "outcome": "failed" if random.random() < error_rate else "completed",
            "client": client,
            "version": version or f"model/{1 if group == 'main' else 2}",
            "group": group,
            "num_prompt_tokens": int(prompt),
            "num_completion_tokens": int(tokens),
            "finishes": ["length" if random.random() < 0.02 else "stop"],
            "duration_s": (first + each * tokens) * slower,
            "first_token_s": first * slower,
            "s_per_token": each * slower,
            "guards": [],
            "num_refusals": int(random.random() < 0.02),
            "repetition": 0.1,
            "prompt_language": "en",
        }
        rows.append(row | columns)
    return rows


TYPES = pa.schema(
    [
        ("time_ms", pa.int64()),
        *((name, pa.string()) for name in ("id", "outcome", "client", "unit")),
        *((name, pa.string()) for name in ("version", "group")),
        ("num_prompt_tokens", pa.int32()),
        ("num_completion_tokens", pa.int32()),
        ("finishes", pa.list_(pa.string())),
        *((name, pa.float64()) for name in ("duration_s", "first_token_s")),
        ("s_per_token", pa.float64()),
        ("guards", pa.map_(pa.string(), pa.int32())),
        ("num_refusals", pa.int32()),
        ("repetition", pa.float32()),
        ("prompt_language", pa.string()),
    ]
)


def to_table(*groups: list[dict[str, Any]]) -> pa.Table:
    """A table as the request log's."""
    return pa.Table.from_pylist([row for group in groups for row in group], TYPES)
