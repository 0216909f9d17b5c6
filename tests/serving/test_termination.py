"""A server that is terminated under load: each request that it accepted is answered."""

import asyncio
import json
import multiprocessing
import os
import random
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx2
import pytest
from echo_engine import SlowEcho
from ports import free_port
from raw_http import Reply, post
from served_process import register, serve
from tiny_server import OneVersion, load_without_weights, serving_config

from graft.errors import ModelError
from graft.inference.requests import TokensEvent
from graft.serving.json_log import JsonLog
from graft.serving.keys import ApiKeys
from graft.serving.server import listen, to_server

CLIENTS = 24
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["graft.serving.server", "graft.tracking", "graft.prompts.tokenizers"]
    + ["tokenizers", "httpx2", "psutil", "pytest", "uvloop"]
)


class Dying(SlowEcho):
    """An engine whose process ends at its second row."""

    def events(self) -> Iterator[TokensEvent]:
        rows = set()
        for event in super().events():
            rows.add(event.key)
            if len(rows) == 2:
                raise ModelError("the engine", "ended", expected="that it runs")
            yield event


def run_server(port: int, log: Path, engine: type[SlowEcho] = SlowEcho) -> None:
    """`graft serve` with an echo, which logs to a file."""
    with log.open("w") as lines:
        os.dup2(lines.fileno(), 2)
    loaded = load_without_weights()
    serving = serving_config(port=port)
    version = loaded.version
    server = to_server(
        serving,
        engine(),
        OneVersion(version),
        name=version.name,
        task=version.task,
        length=loaded.length,
        keys=ApiKeys(None),
        observers=[JsonLog(False)],
    )
    listen(server, serving)


async def wait_until_ready(port: int, process: BaseProcess) -> None:
    async with httpx2.AsyncClient() as client:
        for _ in range(6000):
            assert process.is_alive()
            try:
                found = await client.get(f"http://127.0.0.1:{port}/health/ready")
            except httpx2.TransportError:
                await asyncio.sleep(0.01)
                continue
            if found.status_code == 200:
                return
    raise AssertionError("not ready")


async def load(port: int, pid: int, model: str, seconds: float) -> dict[str, Reply]:
    """Clients that ask until the server refuses; it is terminated meanwhile."""
    replies: dict[str, Reply] = {}

    async def ask(number: int) -> None:
        reply, count = Reply(200), 0
        while reply.status == 200:
            count += 1
            body = {"model": model, "prompt": "The cat.", "stream": count % 2 > 0}
            key = f"{number}-{count}"
            reply = await post(port, {**body, "max_tokens": 16}, key=key)
            replies[key] = reply

    async with asyncio.TaskGroup() as clients:
        for number in range(CLIENTS):
            clients.create_task(ask(number))
        await asyncio.sleep(seconds)
        os.kill(pid, signal.SIGTERM)
    return replies


def check(replies: dict[str, Reply], log: Path) -> None:
    """Each request that the server accepted has its whole answer, and no other was."""
    lines = [line for line in log.read_text("utf-8").splitlines() if line[:1] == "{"]
    logged = {one["request"]: one for one in map(json.loads, lines) if "status" in one}
    accepted = {key for key, one in logged.items() if one["status"] == 200}
    whole = {key for key, one in replies.items() if one.status == 200 and one.is_whole}
    assert accepted & replies.keys() == whole and whole
    for key, reply in replies.items():
        assert reply.status in (200, 503) or key not in logged, logged[key]
        if reply.status == 503:
            assert int(reply.headers["retry-after"]) >= 1 and reply.is_whole


@pytest.mark.parametrize("times", [1, pytest.param(50, marks=pytest.mark.slow)])
def test_a_server_that_is_terminated_answers_what_it_accepted(
    times: int, tmp_path: Path
) -> None:
    draw = random.Random(1)
    for number in range(times):
        port, log = free_port(), tmp_path / f"{number}.log"
        process = FORKS.Process(target=run_server, args=(port, log))
        process.start()
        asyncio.run(wait_until_ready(port, process))
        seconds = draw.uniform(0.2, 0.8)
        assert process.pid is not None
        replies = asyncio.run(load(port, process.pid, "translator", seconds))
        process.join()
        check(replies, log)


@pytest.mark.slow
def test_so_does_one_with_a_model_in_its_own_process(tmp_path: Path) -> None:
    register(tmp_path, "champion")
    for _ in range(5):
        with serve(tmp_path) as served:
            pid = served.process.pid
            model = "graft-translation"
            replies = asyncio.run(load(served.port, pid, model, 2.0))
            served.process.wait()
        check(replies, served.log)


def test_a_server_whose_engine_has_ended_ends_too_and_says_why(tmp_path: Path) -> None:
    """What started it may start another one; it would only answer with errors."""
    port, log = free_port(), tmp_path / "log"
    process = FORKS.Process(target=run_server, args=(port, log, Dying))
    process.start()
    asyncio.run(wait_until_ready(port, process))
    body = {"model": "translator", "prompt": "The cat.", "max_tokens": 16}
    reply = asyncio.run(post(port, body))
    assert reply.status == 500 and b"engine_stopped" in reply.content
    process.join(30)
    assert process.exitcode == 1
    assert "graft.errors.ModelError: the engine: ended" in log.read_text("utf-8")


@pytest.mark.slow
def test_so_does_one_whose_engine_was_killed(tmp_path: Path) -> None:
    register(tmp_path, "champion")
    with serve(tmp_path) as served:
        served.processes["engine"].kill()
        assert served.process.wait(30) == 1
    assert "the engine's process: ended with status -9" in served.log.read_text("utf-8")
