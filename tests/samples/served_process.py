"""`graft serve` in a process of its own, with a store of its own."""

import json
import os
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from tiny_pipeline import make_adapter
from tracking_stores import make_store

import graft
from graft import tracking
from graft.config.params import Params, check_params
from graft.inference.results import Decoding
from graft.registry.packaged_code import write_code

ROOT = Path(__file__).parents[2]


def params_of(root: Path, *, is_exact: bool = False) -> Params:
    """The repository's parameters, with a store in this folder.

    Args:
        is_exact: whether the base is in float32, so that its greedy answers do not
            depend on what else is in the batch.
    """
    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    values["registry"]["tracking_uri"] = make_store(root)
    if is_exact:
        values["model"]["dtype"] = "float32"
        values["quantization"] |= {"method": "none", "double_quant": False}
    return check_params(values, "params")


def register(root: Path, *aliases: str, is_exact: bool = False) -> None:
    """Register a random adapter of the tiny base for each alias, in a store in this
    folder: the first alias gets version 1."""
    params = params_of(root, is_exact=is_exact)
    package = Path(graft.__file__).parent
    write_code(package, root / "code/graft")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow and PEFT
        for alias in aliases:
            make_adapter(params, root / alias / "adapter")
            with tracking.start_run(params.registry, root / f"{alias}.jsonl") as run:
                number = tracking.register_adapter(
                    run,
                    params.registry,
                    root / alias / "adapter",
                    code=package / "serving/registered_model.py",
                    package=root / "code/graft",
                    settings={"decoding": asdict(Decoding.of(params.generation))},
                    tags={},
                    aliases=[alias],
                )
            assert number, "not registered"


@dataclass(frozen=True)
class Served:
    """A server that is ready, and the file of its log."""

    port: int
    process: "subprocess.Popen[str]"
    log: Path

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[Any, Mapping[str, str]]:
        """The answer to a request, and its headers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as found:
            return json.load(found), found.headers

    def get(self, path: str) -> Any:
        """The answer to a GET. Raises: OSError for an error."""
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=120) as found:
            return json.load(found)

    def memory(self) -> dict[str, float]:
        """Resident memory of the API's and the engine's process, in MiB."""
        return {name: p.memory_info().rss / 2**20 for name, p in self.processes.items()}

    @property
    def processes(self) -> dict[str, psutil.Process]:
        """The API's process, and that of the engine."""
        api = psutil.Process(self.process.pid)
        return {"api": api} | {
            "engine": child
            for child in api.children()
            if "resource_tracker" not in " ".join(child.cmdline())
        }

    def logged(self, **values: str) -> list[dict[str, Any]]:
        """Lines of the log that have these values."""
        lines = self.log.read_text("utf-8").splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [one for one in found if values.items() <= one.items()]


@contextmanager
def serve(root: Path, **settings: Any) -> Iterator[Served]:
    """Serve the champion of the store in this folder until the end of the block."""
    words = [f"-Sserving.{name}={value}" for name, value in settings.items()]
    log = root / "serve.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", "from graft.cli import main; main()", "serve"]
            + [
                "-Sserving.port=0",
                "-Smonitoring.telemetry.port=0",
                f"-Smonitoring.feedback.folder={root}/feedback",
                f"-Smonitoring.request_log.folder={root}/requests",
                *words,
                "--cache",
                str(root / "cache"),
            ],
            cwd=ROOT,
            env={**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split("/v1")[0]
            assert address, log.read_text("utf-8")
            served = Served(int(address.rpartition(":")[2]), process, log)
            while not is_ready(served):
                assert process.poll() is None, log.read_text("utf-8")
                time.sleep(0.02)
            yield served
        finally:
            process.terminate()
            process.wait()


def is_ready(served: Served) -> bool:
    """Whether the API says that it is ready."""
    try:
        return bool(served.get("/health/ready")["ready"])
    except OSError:
        return False
