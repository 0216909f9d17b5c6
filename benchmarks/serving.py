"""The API's throughput beside that of the engine alone, with the tiny base.

    python benchmarks/serving.py --streams 64 --tokens 64 --rounds 3

Both complete the same prompts, each to its last token, alternately. The clients run in
a process of their own; they read the streams, and count the events. With several
`--requests` for each stream, clients take them from one list, as the engine does; their
lengths differ.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests/samples"), str(ROOT / "tests/serving")]


def prompts(number: int) -> list[str]:
    """Different prompts of about ten tokens."""
    return [f"The cat number {n} sleeps on the table." for n in range(number)]


def lengths(num_streams: int, num_requests: int, num_tokens: int) -> list[list[int]]:
    """New tokens of each request of each stream: `num_tokens` if it has one request,
    otherwise 0.5 to 1.5 times as many."""
    if num_requests == 1:
        return [[num_tokens]] * num_streams
    spread = random.Random(0)
    most = 3 * num_tokens // 2
    return [
        [spread.randint(num_tokens // 2, most) for _ in range(num_requests)]
        for _ in range(num_streams)
    ]


def make_rows(template: Any, words: argparse.Namespace) -> list[Any]:
    """All requests of the clients, the first ones of all streams first."""
    from graft.inference.requests import GenerationRequest

    load = lengths(words.streams, words.requests, words.tokens)
    return [
        GenerationRequest(
            key=(number, request),
            prompt=template.encode_prompt([{"role": "user", "content": text}]),
            max_new_tokens=load[number][request],
            template=template,
        )
        for request in range(words.requests)
        for number, text in enumerate(prompts(words.streams))
    ]


def run_engine(loaded: Any, words: argparse.Namespace) -> float:
    """Tokens per second of the engine alone."""
    from graft.inference.batching import run_requests

    rows = make_rows(loaded.version.template, words)
    start, count = time.perf_counter(), 0
    for event in run_requests(loaded.model, rows, words.streams):
        count += len(event.tokens)
    return count / (time.perf_counter() - start)


async def _stream(host: str, port: int, text: str, num_tokens: int) -> list[float]:
    """The times at which events of one stream arrive."""
    body = json.dumps(
        {
            "model": "translator",
            "prompt": text,
            "max_tokens": num_tokens,
            "stream": True,
        }
    ).encode()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        + body
    )
    times = []
    while line := await reader.readline():
        if line.startswith(b"data: {"):
            times.append(time.perf_counter())
    writer.close()
    return times


async def _client(port: int, requests: Iterator[tuple[str, int]]) -> list[list[float]]:
    """Take one request after another; the times of each."""
    return [await _stream("127.0.0.1", port, text, number) for text, number in requests]


async def _load(
    port: int, num_streams: int, wanted: list[list[int]]
) -> dict[str, float]:
    texts = prompts(num_streams)
    waiting = (
        (text, many[request])
        for request in range(len(wanted[0]))
        for text, many in zip(texts, wanted)
    )
    start = time.perf_counter()
    clients_times = await asyncio.gather(
        *(_client(port, waiting) for _ in range(num_streams))
    )
    found = [times for client in clients_times for times in client]
    seconds = time.perf_counter() - start
    gaps = [b - a for times in found for a, b in zip(times, times[1:])]
    return {
        "seconds": seconds,
        "events": sum(map(len, found)),
        "gap_p50_ms": 1000 * median(gaps),
        "gap_p99_ms": 1000 * quantiles(gaps, n=100)[98],
    }


def clients(
    port: int, num_streams: int, num_tokens: int, num_requests: int = 1
) -> dict[str, float]:
    """Run the clients in another process; their times."""
    words = ["--clients-of", port, "--streams", num_streams, "--tokens", num_tokens]
    words += ["--requests", num_requests]
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(
    port: int, words: argparse.Namespace, engine_rate: Callable[[], float]
) -> None:
    """Print a line for each round, and the median ratio.

    Args:
        words: `streams`, `requests`, `tokens`, `rounds`.
        engine_rate: tokens per second of the engine, asked for in each round.
    """
    ratios = []
    load = words.streams, words.requests, words.tokens
    for _ in range(words.rounds):
        engine = engine_rate()
        before = time.process_time()
        found = clients(port, words.streams, words.tokens, words.requests)
        share = (time.process_time() - before) / found["seconds"]
        served = sum(map(sum, lengths(*load))) / found["seconds"]
        ratios.append(served / engine)
        print(
            f"engine {engine:7.0f} tokens/s   API {served:7.0f}   ratio "
            f"{served / engine:.2f}   between events "
            f"{found['gap_p50_ms']:.1f} ms (median), "
            f"{found['gap_p99_ms']:.1f} (p99)   API's processors {share:.2f}",
            flush=True,
        )
    print(f"median ratio {median(ratios):.2f}")


def endless_batch(num_slots: int) -> tuple[Any, Any]:
    """The batch of the API, in the engine's process."""
    import torch
    from endless import endless
    from tiny_server import load_served

    from graft.inference.batching import ContinuousBatch

    torch.set_num_threads(1)
    loaded = load_served()
    batch = ContinuousBatch(loaded.model, num_slots, loaded.length)
    return batch, endless(loaded, 1).version.template


def main() -> None:
    """Print a line for each round, and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1, help="of each stream")
    parser.add_argument("--clients-of", type=int)
    words = parser.parse_args()
    if words.clients_of:
        wanted = lengths(words.streams, words.requests, words.tokens)
        found = asyncio.run(_load(words.clients_of, words.streams, wanted))
        print(json.dumps(found))
        return
    import torch
    from api_server import running
    from endless import endless
    from tiny_server import load_served, serving_config

    from graft.serving.engine_process import EngineProcess

    torch.set_num_threads(1)
    alone, loaded = load_served(), load_served()
    loaded, alone = (endless(one, 2 * words.tokens) for one in (loaded, alone))
    serving = serving_config(slots=words.streams)
    run_engine(alone, argparse.Namespace(streams=words.streams, requests=1, tokens=8))
    process = EngineProcess("serving:endless_batch")
    process.start_loading(words.streams)
    with running(loaded, serving, process) as api:
        port = int(api.url.rpartition(":")[2])
        clients(port, words.streams, 8)
        compare(port, words, lambda: run_engine(alone, words))


if __name__ == "__main__":
    main()
