"""Clients that vanish at any moment hold no slot."""

import asyncio
import random
from collections.abc import Iterator

import pytest
from api_server import running
from endless import endless
from raw_http import open_post, post
from waiting import wait_until

from graft.inference.batching import ContinuousBatch
from graft.inference.requests import GenerationRequest, TokensEvent

AT_ONCE = 50


class CountedBatch(ContinuousBatch):
    """Counts its tokens, and the rows that have not ended."""

    num_tokens = num_added = num_ended = 0

    def add(self, request: GenerationRequest) -> None:
        super().add(request)
        self.num_added += 1

    def events(self) -> Iterator[TokensEvent]:
        for event in super().events():
            self.num_tokens += len(event.tokens)
            self.num_ended += event.finish is not None
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


@pytest.mark.parametrize("number", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_clients_that_vanish_hold_no_slot(loaded, serving, number: int) -> None:
    without_end = endless(loaded, loaded.length - 100)
    batch = CountedBatch(loaded.model, serving.slots, loaded.length)
    with running(without_end, serving, batch) as api:
        port = int(api.url.rpartition(":")[2])
        asyncio.run(vanish_all(port, number))
        runner = api.server.runner
        wait_until(
            lambda: not (runner.engine.num_rows or runner.admission.num_requests)
        )
        versions = api.server.versions
        assert not any(versions.in_use.values())
        before = batch.num_tokens
        wait_until(lambda: batch.num_ended == batch.num_added)
        assert batch.num_tokens - before <= 2 * serving.slots  # within two steps
        body = {"model": "translator", "prompt": "The cat sleeps.", "max_tokens": 3}
        assert asyncio.run(post(port, body)).status == 200
