"""The data stages on a separate Ray cluster, to which they connect by address."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from dirty_rows import CLEAN, TOKENIZE, contents, make_tokenizer, write_rows
from ports import free_port
from settings import PROMPT, TASK

from graft import io
from graft.config import ConvertConfig, DataConfig, EngineConfig, ModelConfig
from graft.engine.ray import LOOPBACK
from graft.stages import convert, preprocess, tokenize

pytestmark = pytest.mark.slow
WORKERS = 2


@pytest.fixture
def cluster() -> Iterator[str]:
    """Start a cluster; returns its address."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    address = f"{LOOPBACK}:{free_port(LOOPBACK)}"
    host, port = address.split(":")
    command = [
        *(str(Path(sys.executable).with_name("ray")), "start", "--head", "--block"),
        *(f"--node-ip-address={host}", f"--port={port}", f"--num-cpus={WORKERS}"),
        *("--include-dashboard=false", "--disable-usage-stats"),
    ]
    with subprocess.Popen(command, stdout=-3, stderr=-3) as head:
        try:
            yield address
        finally:
            started = psutil.Process(head.pid).children(recursive=True)
            head.terminate()
            psutil.wait_procs(started, timeout=20)


def test_a_cluster_writes_the_same_bytes_as_this_machine(
    tmp_path: Path, make_data, cluster: str
) -> None:
    model = make_tokenizer(tmp_path / "model")
    write_rows(tmp_path / "pairs.jsonl", 40_000)  # three batches, ten of tokenize
    io.write_json(tmp_path / "gate.json", {"passed": True})
    for name, address in (("local", None), ("ray", cluster)):
        engine = EngineConfig(name=name, cluster=address)
        run_stages(make_data(), model, engine, tmp_path / name)
    assert contents(tmp_path / "local") == contents(tmp_path / "ray")


def run_stages(
    data: DataConfig, model: ModelConfig, engine: EngineConfig, out: Path
) -> None:
    """Run the stages; each opens its own engine."""
    names = ("converted", "rejects", "convert.json")
    paths = (out / name for name in names)
    convert.run(ConvertConfig(max_rejects=99), data, TASK, engine, *paths)
    names = ("converted", "decisions", "clean", "dropped", "review.csv", "clean.json")
    preprocess.run(CLEAN, engine, *(out / name for name in names))
    paths = (out / n for n in ("sequences", "unencoded", "tokens.json", "tokens.html"))
    gate = out.parent / "gate.json"
    tokenize.run(model, PROMPT, TOKENIZE, engine, out / "clean", gate, *paths)
