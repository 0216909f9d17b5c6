"""From `graft serve` to ready: wall time, and processor time of both processes.

    python benchmarks/serving_start.py --starts 5

The version is registered in a store of its own: a random adapter of the repository's
tiny base, with its 4-bit weights, as the pipeline registers it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests/samples"))


def register(root: Path) -> None:
    """Register an adapter of the tiny base as champion, in a store in a folder."""
    from tiny_pipeline import make_adapter

    import graft
    from graft import tracking
    from graft.config.params import check_params
    from graft.inference.results import Decoding
    from graft.registry.packaged_code import write_code

    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    values["registry"]["tracking_uri"] = f"sqlite:///{root}/mlflow.db"
    params = check_params(values, "params")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_adapter(params, root / "adapter")
    package = Path(graft.__file__).parent
    write_code(package, root / "served/graft")
    with tracking.start_run(params.registry, root / "run.jsonl") as run:
        tracking.register_adapter(
            run,
            params.registry,
            root / "adapter",
            code=package / "serving/registered_model.py",
            package=root / "served/graft",
            settings={"decoding": asdict(Decoding.of(params.generation))},
            tags={},
            aliases=["champion"],
        )


def start(root: Path, port: int) -> dict[str, float]:
    """Seconds until ready, and of processor time until then by process."""
    words = ["serve", "-S", f"serving.port={port}", "--cache", str(root / "served")]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db"}
    begin = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", "from graft.cli import main; main()", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    ) as server:
        try:
            while not is_ready(port):
                assert server.poll() is None, "the server ended"
                time.sleep(0.02)
            seconds = time.perf_counter() - begin
            process = psutil.Process(server.pid)
            own = used(process)
            engine = max(map(used, process.children()))
        finally:
            server.terminate()
            server.wait()
    return {"seconds": seconds, "server_cpu_s": own, "engine_cpu_s": engine}


def used(process: psutil.Process) -> float:
    """Processor seconds of a process."""
    times = process.cpu_times()
    return float(times.user + times.system)


def is_ready(port: int) -> bool:
    """Whether the API says that it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as found:
            state: dict[str, Any] = json.load(found)
            return bool(state["ready"])
    except OSError:
        return False


def main() -> None:
    """Print a line for each start, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--port", type=int, default=8765)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        register(Path(folder))
        found = [start(Path(folder), words.port) for _ in range(words.starts)]
    for one in found:
        print(", ".join(f"{name} {value:.1f}" for name, value in one.items()))
    for name in found[0]:
        print(f"median {name} {median(one[name] for one in found):.1f}")


if __name__ == "__main__":
    main()
