"""Streams whose clients do not read them."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message

from graft.serving.responses import EventStream


async def chunks() -> AsyncIterator[bytes]:
    for number in range(3):
        yield str(number).encode()


async def connected() -> Message:
    """No message arrives: the client neither sends anything nor leaves."""
    await asyncio.Event().wait()
    raise AssertionError


def send_all(limit_s: float, seconds_for_each: float) -> tuple[list[Message], int]:
    """What is sent, and how often the place was given up."""
    sent: list[Message] = []
    num_released = 0

    def release() -> None:
        nonlocal num_released
        num_released += 1

    async def send(message: Message) -> None:
        await asyncio.sleep(seconds_for_each)
        sent.append(message)

    stream = EventStream(chunks(), release, {}, limit_s)
    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    asyncio.run(asyncio.wait_for(stream(scope, connected, send), 30))
    return sent, num_released


def test_a_client_that_does_not_read_its_stream_loses_its_place_at_the_limit() -> None:
    sent, num_released = send_all(limit_s=0.2, seconds_for_each=3600)
    assert not sent
    assert num_released == 1


def test_a_client_that_reads_slowly_gets_the_whole_stream_before_the_limit() -> None:
    sent, num_released = send_all(limit_s=20, seconds_for_each=0.01)
    assert b"".join(one.get("body", b"") for one in sent) == b"012"
    assert sent[-1]["more_body"] is False
    assert num_released == 1
