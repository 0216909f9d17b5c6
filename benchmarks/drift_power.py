"""False alarms and power of the drift analysis, on generated or on real text.

    python benchmarks/drift_power.py --windows 1000 --jobs 2 --journal power.jsonl
    python benchmarks/drift_power.py --texts base.txt --other french=base.fr \\
        --profiles 200 --windows 200 --adjacent 1 5 20

Without --texts, requests are sentences of the sample's grammar; with it, the texts of a
file: lines, or a field of Parquet, JSON or JSON Lines (FILE:FIELD). The profile is a
random half of them, at most as many as a real profile has; windows are drawn from the
rest. Windows that share a profile are not independent. With --adjacent K, a window
consists of runs of K neighbours in the file; --take-every is
monitoring.drift.take_every. Results in the journal are not measured again.
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from drift_results import SHARES, STREAM_WINDOWS, print_all
from drift_texts import ROOT, Requests, generated, given

from graft.config.monitoring import DriftConfig
from graft.config.params import load_params
from graft.monitoring.drift.analysis import analyse, thin
from graft.monitoring.drift.profile import NUM_ROWS, Profile, ProfileFacts
from graft.monitoring.drift.stream import StreamDetector

NUM_AT_ONCE = 20
"""Windows of one task: what an interruption may cost."""
Rng = np.random.Generator
Task = Callable[[], list[int]]


def split(same: pa.Table, seed: Sequence[int]) -> tuple[Profile, pa.Table]:
    """A profile, and the traffic: the other rows in their order."""
    size = min(NUM_ROWS, same.num_rows // 2)
    order = np.random.default_rng(seed).permutation(same.num_rows)
    profile = Profile(same.take(order[:size]), ProfileFacts(size, "", False))
    return profile, same.take(np.sort(order[size:]))


def draw(pool: pa.Table, count: int, rng: Rng, adjacent: int = 1) -> pa.Table:
    """So many rows, in runs of `adjacent` neighbours."""
    num_runs = -(-count // adjacent)
    known = pool.num_rows // adjacent
    runs = rng.choice(known, num_runs, replace=num_runs > known)
    places = runs[:, None] * adjacent + np.arange(adjacent)
    return pool.take(places.ravel()[:count])


def mean_requests(config: DriftConfig) -> float:
    """Until a false alarm on the stream, at least."""
    return config.window_requests / config.false_alarm_rate


def false_alarms(
    same: pa.Table,
    config: DriftConfig,
    adjacent: int,
    windows: int,
    seed: Sequence[int],
    start: int,
) -> list[int]:
    """Whether windows without drift raise an alarm. `start`: number of the first."""
    (profile, traffic), rng = split(same, seed), np.random.default_rng([*seed, start])
    size = config.window_requests * config.take_every
    drawn = (
        thin(draw(traffic, size, rng, adjacent), config.take_every)
        for _ in range(windows)
    )
    return [int(analyse(one, profile, config).state == "drifted") for one in drawn]


def stream(same: pa.Table, config: DriftConfig, seed: Sequence[int]) -> list[int]:
    """Alarms on a stream without drift."""
    (profile, traffic), rng = split(same, seed), np.random.default_rng(seed)
    detector, size = StreamDetector(profile, mean_requests(config)), STREAM_WINDOWS
    windows = (draw(traffic, config.window_requests, rng) for _ in range(size))
    return [sum(len(detector.push(window)) for window in windows)]


def power(
    same: pa.Table, pool: pa.Table, config: DriftConfig, seed: Sequence[int]
) -> list[int]:
    """Whether a window is found, by the share of it that has drifted; and how many
    drifted requests the stream needs."""
    (profile, traffic), rng = split(same, seed), np.random.default_rng(seed)
    found, size = [], config.window_requests
    for share in SHARES:
        changed = round(share * size)
        parts = [draw(traffic, size - changed, rng), draw(pool, changed, rng)]
        report = analyse(pa.concat_tables(parts), profile, config)
        found.append(int(report.state == "drifted"))
    detector = StreamDetector(profile, mean_requests(config))
    detector.push(draw(traffic, size, rng))
    before = detector.num_requests
    alarms = detector.push(draw(pool, size, rng))
    return [*found, alarms[0].request - before if alarms else size + 1]


def plan(
    requests: Requests, config: DriftConfig, args: argparse.Namespace
) -> dict[tuple[str, int, int], Task]:
    """All tasks by what they measure, profile and first window."""
    tasks: dict[tuple[str, int, int], Task] = {}
    windows = args.windows // args.profiles
    same = requests.same
    for adjacent in args.adjacent:
        name = f"false alarms, runs of {adjacent}"
        if config.take_every > 1:
            name += f", every {config.take_every}th request taken"
        for number in range(args.profiles):
            for start in range(0, windows, NUM_AT_ONCE):
                tasks[name, number, start] = partial(
                    false_alarms,
                    same,
                    config,
                    adjacent,
                    min(NUM_AT_ONCE, windows - start),
                    [args.seed, number],
                    start,
                )
    for name, pool in requests.pools.items():
        for number in range(args.powers):
            seed = [args.seed, number]
            tasks[name, number, 0] = partial(power, same, pool, config, seed)
    for number in range(args.streams):
        seed = [args.seed, number]
        tasks["stream", number, 0] = partial(stream, same, config, seed)
    return tasks


_tasks: Mapping[tuple[str, int, int], Task] = {}


def _measure(key: tuple[str, int, int]) -> list[int]:
    return _tasks[key]()


def measure(
    tasks: Mapping[tuple[str, int, int], Task], jobs: int, journal: Path | None
) -> dict[tuple[str, int, int], list[int]]:
    """The results of all tasks, from the journal if it has them."""
    global _tasks  # pylint: disable=global-statement  # forked processes find it there
    _tasks, lines = tasks, list[str]()
    if journal and journal.exists():
        lines = journal.read_text("utf-8").splitlines()
    known = {tuple(key): value for key, value in map(json.loads, lines)}
    found = {key: known[key] for key in tasks if key in known}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        running = {pool.submit(_measure, key): key for key in tasks if key not in found}
        for done in as_completed(running):
            found[running[done]] = done.result()
            if journal:
                with journal.open("a", encoding="utf-8") as file:
                    print(json.dumps([running[done], done.result()]), file=file)
            print(f"{len(found)}/{len(tasks)} {running[done]}", file=sys.stderr)
    return {key: found[key] for key in tasks}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=1_000, help="without drift")
    parser.add_argument("--profiles", type=int, default=10)
    parser.add_argument("--powers", type=int, default=10, help="windows with drift")
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--texts")
    parser.add_argument("--other", nargs="*", default=[])
    parser.add_argument("--adjacent", type=int, nargs="*", default=[1])
    parser.add_argument("--take-every", type=int, default=1)
    parser.add_argument("--window", type=int, help="requests of a window")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    requests = (
        given(args.texts, args.other, args.seed) if args.texts else generated(args.seed)
    )
    print(f"{requests.same.num_rows:,} requests without drift", file=sys.stderr)
    config = load_params(ROOT / "params.yaml").monitoring.drift
    changes = {"take_every": args.take_every}
    if args.window:
        changes["window_requests"] = args.window
    config = config.model_copy(update=changes)
    tasks = plan(requests, config, args)
    print_all(measure(tasks, args.jobs, args.journal).items())


if __name__ == "__main__":
    main()
