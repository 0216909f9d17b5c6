"""`graft serve` with the tiny base under a load of every kind of request.

`python benchmarks/mixed_load.py` is the same for longer, and follows the memory."""

import asyncio
import sys
from pathlib import Path

import pytest
from mixed_run import prepared

SECONDS = 45


@pytest.mark.slow
def test_each_request_of_a_mixed_load_is_answered_as_it_must_be(tmp_path: Path) -> None:
    with prepared(tmp_path) as load:
        result = asyncio.run(load.run(SECONDS))
    print(*result.table(), sep="\n", file=sys.stderr)
    assert not result.faults
    assert result.num_swaps > 1 and result.num_batches
    for kind, seen in result.kinds.items():
        assert seen.outcomes.keys() - {"429", "503"}, kind
    assert (result.end["open_requests"], result.end["open_rows"]) == (0, 0)
    assert not result.in_use
    assert max(result.idle_s.values()) < 0.2
