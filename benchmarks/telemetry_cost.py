"""What telemetry costs: the API's throughput with and without it, with the tiny base.

    python benchmarks/telemetry_cost.py --streams 64 --tokens 64 --pairs 9 --request-log

Rounds with and without alternate on one server, whose observers are switched: metrics
with exemplars that are fetched every second, and spans sent to a collector on this
machine; with `--request-log` also the request log, which closes a shard each second
instead of each minute, so that each round has its share of the writing and merging.
Records and log lines are made in both; the second part measures the processor time of
each observer per request, in its own thread.
"""

import argparse
import io
import logging
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

from graft.config.params import load_params
from graft.monitoring.metrics import RequestMetrics
from graft.monitoring.request_log.recorder import RequestRecorder
from graft.monitoring.served_request import RequestObserver, ServedRequest
from graft.monitoring.traces import open_traces
from graft.serving.json_log import JsonLog
from graft.serving.request_recording import open_request_log
from graft.telemetry.port import metrics_port
from serving import clients

ACCEPT = {"Accept": "application/openmetrics-text; version=1.0.0"}


class Switch:
    """Passes records on while it is on, and keeps the last one."""

    def __init__(self, observers: Sequence[RequestObserver]) -> None:
        self.observers, self.is_on = observers, False
        self.last: ServedRequest | None = None

    def observe(self, request: ServedRequest) -> None:
        self.last = request
        if self.is_on:
            for observer in self.observers:
                observer.observe(request)


class Collector(BaseHTTPRequestHandler):
    """Takes what it is sent."""

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:  # pylint: disable=arguments-differ
        pass


@contextmanager
def collector() -> Iterator[str]:
    """The address of a collector of spans."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def request_log() -> Iterator[RequestRecorder]:
    """The configured request log, in a folder of its own, with shards of a second."""
    config = load_params(Path("params.yaml")).monitoring.request_log
    with tempfile.TemporaryDirectory() as folder:
        update = {"folder": folder, "shard_s": 1.0}
        with open_request_log(config.model_copy(update=update)) as log:
            assert log is not None
            yield log


def scrape(port: int, switch: Switch, ended: threading.Event) -> None:
    """Fetch the metrics every second, while they are made."""
    url = f"http://127.0.0.1:{port}/metrics"
    while not ended.wait(1.0):
        if switch.is_on:
            with urlopen(Request(url, headers=ACCEPT)) as response:
                response.read()


def cpu_us(act: Any, number: int) -> float:
    """Microseconds of this thread for one call."""
    start = time.thread_time()
    for _ in range(number):
        act()
    return (time.thread_time() - start) / number * 1e6


def measure(
    words: argparse.Namespace, switch: Switch
) -> tuple[list[float], list[float]]:
    """Of each pair of rounds: the ratio of the throughputs with and without, and the
    milliseconds of processor time of the API's process that were added per request,
    with the threads that fetch the metrics and send spans."""
    import torch
    from api_server import running
    from endless import endless
    from tiny_server import load_served, serving_config

    from graft.serving.engine_process import EngineProcess

    torch.set_num_threads(1)
    loaded = endless(load_served(), words.tokens)
    process = EngineProcess("serving:endless_batch")
    process.start_loading(words.streams)
    serving = serving_config(slots=words.streams)
    ratios, added = list[float](), list[float]()
    with running(
        loaded, serving, process, observers=[switch], starts_traces=True
    ) as api:
        port = int(api.url.rpartition(":")[2])
        clients(port, words.streams, 8)
        for number in range(words.pairs):
            seconds, cpu = {}, {}
            for is_on in (number % 2 == 0, number % 2 > 0):
                switch.is_on, start = is_on, time.process_time()
                found = clients(port, words.streams, words.tokens)
                seconds[is_on], cpu[is_on] = (
                    found["seconds"],
                    time.process_time() - start,
                )
            ratios.append(seconds[False] / seconds[True])
            added.append((cpu[True] - cpu[False]) / words.streams * 1e3)
            print(
                f"without {seconds[False]:.2f} s (API: {cpu[False]:.2f} s of CPU), "
                f"with {seconds[True]:.2f} s ({cpu[True]:.2f} s)"
            )
    return ratios, added


def main() -> None:
    """Print the ratio of each pair, their median, and the time of each observer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--request-log", action="store_true")
    words = parser.parse_args()
    logger = logging.getLogger("graft.requests")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    metrics, ended = RequestMetrics(), threading.Event()
    with (
        collector() as url,
        open_traces(url) as traces,
        metrics_port(metrics.registry, "127.0.0.1", 0, "benchmark") as port,
        ExitStack() as stack,
    ):
        log = stack.enter_context(request_log()) if words.request_log else None
        observers = [one for one in (metrics, traces, log) if one is not None]
        switch = Switch(observers)
        scraper = threading.Thread(target=scrape, args=(port, switch, ended))
        scraper.start()
        ratios, added = measure(words, switch)
        ended.set()
        scraper.join()
        print(f"throughput with / without: median {median(ratios):.4f}", end=" ")
        print(f"(from {min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} pairs)")
        print(f"added processor time: median {median(added):.2f} ms per request")
        last = switch.last
        assert last is not None
        for one in (JsonLog(False), *observers):
            number = 2000 if one is not traces else 500
            found = cpu_us(lambda one=one: one.observe(last), number)
            print(f"{type(one).__name__}: {found:.0f} us per request")
            time.sleep(1)  # the thread of the traces empties its queue
        print(f"spans dropped: {traces.num_dropped}", file=sys.stderr)
        if log is not None:
            lost = log.num_queue_full + log.num_write_failed
            print(f"rows dropped: {lost}", file=sys.stderr)


if __name__ == "__main__":
    main()
