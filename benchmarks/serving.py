"""The API's throughput beside that of the engine alone, with the tiny base.

    python benchmarks/serving.py --streams 64 --tokens 64 --rounds 3

Both complete the same prompts, each to its last token, alternately. The clients run in
a process of their own; they read the streams, and count the events and tokens.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests/samples"), str(ROOT / "tests/serving")]


def prompts(number: int) -> list[str]:
    """Different prompts of about ten tokens."""
    return [f"The cat number {n} sleeps on the table." for n in range(number)]


def run_engine(loaded: Any, num_streams: int, num_tokens: int) -> float:
    """Tokens per second of the engine alone."""
    from graft.inference.batching import run_requests
    from graft.inference.requests import GenerationRequest

    template = loaded.version.template
    rows = [
        GenerationRequest(
            key=number,
            prompt=template.encode_prompt([{"role": "user", "content": text}]),
            max_new_tokens=num_tokens,
            template=template,
        )
        for number, text in enumerate(prompts(num_streams))
    ]
    start, count = time.perf_counter(), 0
    for event in run_requests(loaded.model, rows, num_streams):
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


async def _load(port: int, num_streams: int, num_tokens: int) -> dict[str, float]:
    start = time.perf_counter()
    texts = prompts(num_streams)
    found = await asyncio.gather(
        *(_stream("127.0.0.1", port, text, num_tokens) for text in texts)
    )
    seconds = time.perf_counter() - start
    gaps = [b - a for times in found for a, b in zip(times, times[1:])]
    return {
        "seconds": seconds,
        "events": sum(map(len, found)),
        "gap_p50_ms": 1000 * median(gaps),
        "gap_p99_ms": 1000 * quantiles(gaps, n=100)[98],
    }


def clients(port: int, num_streams: int, num_tokens: int) -> dict[str, float]:
    """Run the clients in another process; their times."""
    words = ["--clients-of", port, "--streams", num_streams, "--tokens", num_tokens]
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(
    port: int, streams: int, tokens: int, rounds: int, engine_rate: Callable[[], float]
) -> None:
    """Print a line for each round, and the median ratio.

    Args:
        engine_rate: tokens per second of the engine, asked for in each round.
    """
    ratios = []
    for _ in range(rounds):
        engine = engine_rate()
        found = clients(port, streams, tokens)
        served = streams * tokens / found["seconds"]
        ratios.append(served / engine)
        print(
            f"engine {engine:7.0f} tokens/s   API {served:7.0f}   ratio "
            f"{served / engine:.2f}   between events "
            f"{found['gap_p50_ms']:.1f} ms (median), "
            f"{found['gap_p99_ms']:.1f} (p99)",
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
    parser.add_argument("--clients-of", type=int)
    words = parser.parse_args()
    if words.clients_of:
        found = asyncio.run(_load(words.clients_of, words.streams, words.tokens))
        print(json.dumps(found))
        return
    import torch
    from api_server import running
    from endless import endless
    from tiny_server import load_served, serving_config

    from graft.serving.engine_process import EngineProcess

    torch.set_num_threads(1)
    alone, loaded = load_served(), load_served()
    loaded, alone = (endless(one, words.tokens) for one in (loaded, alone))
    serving = serving_config(slots=words.streams)
    run_engine(alone, words.streams, 8)
    process = EngineProcess("serving:endless_batch")
    process.start_loading(words.streams)
    with running(loaded, serving, process) as api:
        port = int(api.url.rpartition(":")[2])
        clients(port, words.streams, 8)
        compare(
            port,
            words.streams,
            words.tokens,
            words.rounds,
            lambda: run_engine(alone, words.streams, words.tokens),
        )


if __name__ == "__main__":
    main()
