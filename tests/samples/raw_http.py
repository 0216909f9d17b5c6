"""Requests over plain sockets: cheap clients, which may also vanish."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

PATH = "/v1/completions"


@dataclass
class Reply:
    """What a client received.

    Args:
        status: 0: no answer.
        headers: with names in small letters.
        seconds: from the connection to the end of the answer.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether the answer is complete, as its kind says."""
        if "text/event-stream" in self.headers.get("content-type", ""):
            return b"data: [DONE]\n\n" in self.content and b"0\r\n\r\n" in self.content
        return len(self.content) == int(self.headers.get("content-length", "-1"))


async def open_post(
    port: int, body: Mapping[str, Any], path: str = PATH, key: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request, whose answer is not read yet; `key` is its id in the log."""
    content = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        f"content-type: application/json\r\nx-request-id: {key}\r\n"
        f"content-length: {len(content)}\r\n\r\n".encode() + content
    )
    await writer.drain()
    return reader, writer


async def post(
    port: int, body: Mapping[str, Any], path: str = PATH, key: str = ""
) -> Reply:
    """The answer to a request, as far as there is one."""
    reply, begin = Reply(), perf_counter()
    try:
        reader, writer = await open_post(port, body, path, key)
    except OSError:
        return reply
    try:
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            if not reply.status:
                reply.status = int(line.split()[1])
            else:
                reply.headers[name.lower()] = value.strip()
        reply.content = await reader.read()
    except OSError:
        pass
    finally:
        writer.close()
    reply.seconds = perf_counter() - begin
    return reply
