"""Clients that vanish at any moment hold no slot."""

import asyncio
import random
import time
from collections.abc import Iterator

import pytest
from api_server import Running, running
from endless import endless
from raw_http import open_post, post

from graft.inference.batching import ContinuousBatch
from graft.inference.requests import TokensEvent

AT_ONCE = 50


class CountedBatch(ContinuousBatch):
    """Counts its events."""

    num_events = 0

    def events(self) -> Iterator[TokensEvent]:
        for event in super().events():
            self.num_events += 1
            yield event


async def vanish(port: int, number: int, draw: random.Random) -> None:
    """Send a request, read for a moment, and close the connection without a word."""
    body = {
        "model": "translator",
        "prompt": "The cat sleeps.",
        "max_tokens": 400,
        "stream": number % 2 == 0,
        "n": draw.randint(1, 3),
    }
    reader, writer = await open_post(port, body)
    try:
        async with asyncio.timeout(draw.choice([0.0, 0.01, 0.1, 0.3])):
            await reader.read()
    except TimeoutError:
        pass
    if draw.random() < 0.5:
        writer.transport.abort()
    else:
        writer.close()


async def vanish_all(port: int, number: int) -> None:
    draw, free = random.Random(1), asyncio.Semaphore(AT_ONCE)

    async def one(client: int) -> None:
        async with free:
            await vanish(port, client, draw)

    await asyncio.gather(*(one(client) for client in range(number)))


def wait_until_idle(api: Running) -> None:
    runner = api.server.runner
    for _ in range(3000):
        if not (runner.engine.num_rows or runner.admission.num_requests):
            return
        time.sleep(0.01)
    raise AssertionError(f"{runner.engine.num_rows} rows after 30 s")


@pytest.mark.parametrize("number", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_clients_that_vanish_hold_no_slot(loaded, serving, number: int) -> None:
    without_end = endless(loaded, loaded.length - 100)
    batch = CountedBatch(loaded.model, serving.slots, loaded.length)
    with running(without_end, serving, batch) as api:
        port = int(api.url.rpartition(":")[2])
        asyncio.run(vanish_all(port, number))
        wait_until_idle(api)
        versions = api.server.versions
        assert not any(versions.in_use.values())
        before = batch.num_events
        time.sleep(0.5)
        assert batch.num_events == before  # the engine computes nothing more
        body = {"model": "translator", "prompt": "The cat sleeps.", "max_tokens": 3}
        assert asyncio.run(post(port, body)).status == 200
