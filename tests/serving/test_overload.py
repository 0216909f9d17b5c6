"""`graft serve` with the tiny base under ten times the load that it can answer."""

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from statistics import quantiles
from time import monotonic

import pytest
from raw_http import Reply, post
from served_process import register, serve

SECONDS = 60
SLOTS, OPEN, CLIENTS, DEADLINE_S = 8, 16, 160, 20


async def load(port: int, seconds: float, replies: list[Reply]) -> None:
    """Clients that ask again and again, and wait for a moment after a refusal."""
    end = monotonic() + seconds

    async def ask(number: int) -> None:
        draw = random.Random(number)
        while monotonic() < end:
            body = {
                "model": "graft-translation",
                "prompt": "The cat sleeps. " * draw.randint(1, 5),
                "max_tokens": draw.randint(4, 32),
                "stream": draw.random() < 0.5,
            }
            reply = await post(port, body)
            replies.append(reply)
            if reply.status != 200:
                await asyncio.sleep(draw.uniform(0.5, 1.5))

    await asyncio.gather(*(ask(number) for number in range(CLIENTS)))


@pytest.mark.slow
def test_ten_times_its_load_is_answered_or_refused_with_the_time_to_wait(
    tmp_path: Path,
) -> None:
    register(tmp_path, "champion")
    settings = {"slots": SLOTS, "max_open_requests": OPEN, "deadline_s": DEADLINE_S}
    replies: list[Reply] = []
    with serve(tmp_path, **settings) as served:
        asyncio.run(load(served.port, SECONDS / 4, replies))  # until all is allocated
        before = served.memory()
        replies.clear()
        asyncio.run(load(served.port, SECONDS, replies))
        after = served.memory()
        state = served.get("/health/ready")
    statuses = Counter(reply.status for reply in replies)
    accepted = [reply for reply in replies if reply.status == 200]
    p95 = quantiles([reply.seconds for reply in accepted], n=20)[-1]
    print(dict(statuses), f"p95 {p95:.2f} s", before, after, file=sys.stderr)
    assert set(statuses) <= {200, 429, 503} and accepted
    assert statuses[429] > statuses[200] / 10
    for reply in replies:
        if reply.status != 200:
            assert int(reply.headers["retry-after"]) >= 1
        assert reply.is_whole
    assert p95 <= DEADLINE_S
    for name, size in after.items():
        assert abs(size / before[name] - 1) <= 0.05, name
    assert (state["open_requests"], state["open_rows"]) == (0, 0)
