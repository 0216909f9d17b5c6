"""A load of every kind of request on `graft serve`, with batches, and a champion that
changes meanwhile."""

import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx2
from bad_requests import BadRequests
from good_requests import FULL, LIMITS, LONG, SHORT, GoodRequests
from load_calls import JSON, Call, Received
from load_result import LoadResult
from offline_answers import OfflineAnswers
from served_process import ROOT, Served, params_of, register, serve

KEY = "a key of the load"
MAX_BYTES = 100_000
SLOTS, OPEN, CLIENTS, DEADLINE_S, TOKENS = 8, 16, 20, 60, 1024
SHARE_BAD, SHARE_ENDLESS = 0.3, 0.002
SWAP_S, SAMPLE_S, BATCH_ROWS = 7.0, 2.0, 60


class MixedRun:
    """Clients, a batch, and swaps of the champion, until a time has passed.

    Args:
        root: folder of a store with the versions 1 and 2.
        offline: their answers.
    """

    def __init__(self, served: Served, root: Path, offline: OfflineAnswers) -> None:
        self._served, self._root, self._offline = served, root, offline
        self._params = params_of(root, is_exact=True)
        self._url = f"http://127.0.0.1:{served.port}"
        self._end = 0.0
        self.result = LoadResult()

    async def run(self, seconds: float) -> LoadResult:
        """Load the server for some seconds, and look at it afterwards."""
        start = time.monotonic()
        self._end = start + seconds
        async with asyncio.TaskGroup() as tasks:
            for number in range(CLIENTS):
                tasks.create_task(self._ask(Random(number)))
            tasks.create_task(self._swap())
            tasks.create_task(self._batch())
            tasks.create_task(self._watch(start))
        await asyncio.sleep(1)
        before = self._processor_s()
        await asyncio.sleep(1)
        after = self._processor_s()
        self.result.idle_s = {name: after[name] - before[name] for name in after}
        async with httpx2.AsyncClient(
            headers={"authorization": f"Bearer {KEY}"}
        ) as one:
            self.result.end = (await one.get(f"{self._url}/health/ready")).json()
            report = (await one.get(f"{self._url}/admin/versions")).json()
            self.result.in_use = report["in_use"]
        return self.result

    def _processor_s(self) -> dict[str, float]:
        times = {n: p.cpu_times() for n, p in self._served.processes.items()}
        return {name: spent.user + spent.system for name, spent in times.items()}

    async def _ask(self, draw: Random) -> None:
        """One client, which sends request after request."""
        name, task = self._params.registry.name, self._params.task.name
        good = GoodRequests(name, task, self._offline, draw).kinds
        bad = BadRequests(name, task, TOKENS, MAX_BYTES, draw).kinds
        endless = bad.pop("past the deadline")
        async with httpx2.AsyncClient(base_url=self._url, timeout=120) as client:
            while time.monotonic() < self._end:
                kinds = bad if draw.random() < SHARE_BAD else good
                kind = draw.choice(list(kinds))
                make = kinds[kind]
                if draw.random() < SHARE_ENDLESS:
                    kind, make = "past the deadline", endless
                received = await self._send(client, kind, make())
                if received and received.status in (429, 503):
                    await asyncio.sleep(draw.uniform(0.3, 1))

    async def _send(
        self, client: httpx2.AsyncClient, kind: str, call: Call
    ) -> Received | None:
        """Send a request and examine the answer; None: the client has left."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(call.leaves_after_s):
                received = await receive(client, call)
        except TimeoutError:
            self.result.kinds[kind].outcomes["left"] += 1
            return None
        except httpx2.HTTPError as error:
            self.result.kinds[kind].outcomes["lost"] += 1
            seconds = time.monotonic() - start
            self.result.faults.append(f"{kind}: {error!r} after {seconds:.2f} s")
            return None
        try:
            self.result.kinds[kind].add(received)
            call.examine(received)
        except (AssertionError, LookupError, ValueError) as error:
            self.result.faults.append(f"{kind}: {error!r:.600}")
        return received

    async def _swap(self) -> None:
        """Exchange the champion, again and again."""
        from mlflow import MlflowClient

        registry = self._params.registry
        client = MlflowClient(registry.tracking_uri)
        while time.monotonic() + SWAP_S < self._end:
            await asyncio.sleep(SWAP_S)
            number = str(2 - self.result.num_swaps % 2)
            await asyncio.to_thread(
                client.set_registered_model_alias, registry.name, "champion", number
            )
            self.result.num_swaps += 1

    async def _batch(self) -> None:
        """Run `graft batch --url`, again and again."""
        rows = self._root / "rows.jsonl"
        texts = [(SHORT + LONG)[n % len(SHORT + LONG)] for n in range(BATCH_ROWS)]
        rows.write_text("".join(json.dumps({"prompt": t}) + "\n" for t in texts))
        while time.monotonic() < self._end:
            out = self._root / f"answers-{self.result.num_batches}.jsonl"
            words = [rows, out, "--url", self._url, "--concurrency", 2]
            # Its requests name the champion, which changes.
            words += ["--model", self._params.registry.name]
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", "from graft.cli import main; main()", "batch"),
                *map(str, words),
                cwd=ROOT,
                env={**os.environ, "GRAFT_API_KEY": KEY},
                stderr=asyncio.subprocess.PIPE,
            )
            _, errors = await process.communicate()
            self.result.num_batches += 1
            if process.returncode:
                self.result.faults.append(f"batch: {errors.decode()[-600:]}")
            else:
                self.result.faults += self._wrong_rows(texts, out)

    def _wrong_rows(self, texts: Sequence[str], out: Path) -> list[str]:
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        if [row["prompt"] for row in rows] != texts:
            return ["batch: rows are missing"]
        return [
            f"batch: {row}"
            for row in rows
            if all(
                row["completion"] != self._offline.of(name, row["prompt"], FULL).text
                for name in self._offline.names
            )
        ]

    async def _watch(self, start: float) -> None:
        """Note the memory of both processes."""
        while time.monotonic() < self._end:
            await asyncio.sleep(SAMPLE_S)
            self.result.memory[time.monotonic() - start] = self._served.memory()


async def receive(client: httpx2.AsyncClient, call: Call) -> Received:
    """Send a request, and read its answer to the end."""
    headers = {**JSON, "authorization": f"Bearer {KEY if call.has_key else 'wrong'}"}
    start, first, content = time.perf_counter(), 0.0, b""
    async with client.stream(
        "POST", call.path, content=call.content, headers=headers
    ) as response:
        async for more in response.aiter_bytes():
            first = first or time.perf_counter()
            content += more
    end = time.perf_counter()
    return Received(
        response.status_code,
        dict(response.headers),
        content,
        (first or end) - start,
        end - start,
    )


@contextmanager
def prepared(root: Path) -> Iterator[MixedRun]:
    """A server in a process of its own, with two versions, and a load for it."""
    register(root, "champion", "challenger", is_exact=True)
    (root / "keys.json").write_text(
        json.dumps({"load": hashlib.sha256(KEY.encode()).hexdigest()})
    )
    params = params_of(root, is_exact=True)
    cache = root / "offline"
    offline = OfflineAnswers(params, cache, ["1", "2"], SHORT + LONG, LIMITS)
    settings = {
        "slots": SLOTS,
        "max_open_requests": OPEN,
        "max_context_tokens": TOKENS,
        "max_body_bytes": MAX_BYTES,
        "deadline_s": DEADLINE_S,
        "keys_file": root / "keys.json",
        "poll_s": 0.5,
    }
    with serve(root, **settings) as served:
        yield MixedRun(served, root, offline)
