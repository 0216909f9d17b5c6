"""The data stages on a Ray cluster of several nodes, whose nodes die."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dirty_rows import CLEAN, TOKENIZE, contents, make_tokenizer, write_rows
from ray_cluster import Cluster, started, wait_until
from settings import PROMPT, TASK

from graft import io
from graft.config import ConvertConfig, DataConfig, EngineConfig, ModelConfig
from graft.engine.ray import open_ray
from graft.engine.ray_engine import RayEngine
from graft.errors import HardwareError
from graft.stages import convert, preprocess, tokenize

pytestmark = pytest.mark.slow
NUM_ROWS = 40_000  # three batches, ten of tokenize


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return make_tokenizer(tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="module")
def cluster(model: ModelConfig) -> Iterator[Cluster]:
    """Two nodes, which have no model."""
    with started(2, hidden=Path(model.path)) as running:
        yield running


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file for each task that started, named by its node."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    original = RayEngine.map

    def recorded(engine: RayEngine, work: Callable, items):
        return original(engine, _recorded(work, folder), items)

    monkeypatch.setattr(RayEngine, "map", recorded)
    return folder


def _recorded(work: Callable, folder: Path) -> Callable:
    def run(item):
        import ray

        node = ray.get_runtime_context().get_node_id()
        (folder / f"{node}-{uuid.uuid4()}").touch()
        return work(item)

    return run


def nodes_of(tasks: Path) -> set[str]:
    return {file.name.split("-")[0] for file in tasks.iterdir()}


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


@pytest.fixture
def expected(tmp_path: Path, make_data, model: ModelConfig) -> dict[str, bytes]:
    """What this machine writes."""
    write_rows(tmp_path / "pairs.jsonl", NUM_ROWS)
    io.write_json(tmp_path / "gate.json", {"passed": True})
    local = EngineConfig(name="local", cluster=None)
    run_stages(make_data(), model, local, tmp_path / "local")
    return contents(tmp_path / "local")


@pytest.mark.parametrize("seed", range(3))
def test_a_node_that_dies_at_any_moment_loses_no_row(
    tmp_path: Path,
    make_data,
    model: ModelConfig,
    cluster: Cluster,
    tasks: Path,
    expected: dict[str, bytes],
    seed: int,
) -> None:
    num_tasks = random.Random(seed).randrange(1, 30)

    def kill() -> None:
        wait_until(tasks, num_tasks)
        cluster.nodes.pop(0).kill()

    killer = threading.Thread(target=kill)
    killer.start()
    engine = EngineConfig(name="ray", cluster=cluster.address)
    run_stages(make_data(), model, engine, tmp_path / "ray")
    killer.join()
    assert contents(tmp_path / "ray") == expected
    assert len(nodes_of(tasks)) == 2
    cluster.add()


def squares(cluster: Cluster, replaced_s: float) -> Iterator[int]:
    def work(item: int) -> int:
        time.sleep(0.2)
        return item * item

    with open_ray(cluster.address, replaced_s=replaced_s) as engine:
        yield from engine.map(work, range(60))


def test_work_waits_for_a_node_that_replaces_the_last_one(
    cluster: Cluster,
) -> None:
    results = squares(cluster, replaced_s=300)
    found = [next(results) for _ in range(5)]
    for _ in range(2):
        cluster.nodes.pop().kill()
    adding = threading.Thread(target=cluster.add)
    adding.start()
    assert [*found, *results] == [n * n for n in range(60)]
    adding.join()


def test_a_cluster_that_stays_without_nodes_is_an_error(
    cluster: Cluster,
) -> None:
    results = squares(cluster, replaced_s=15)
    assert next(results) == 0
    cluster.nodes.pop().kill()
    with pytest.raises(HardwareError, match="has had no core for 15 s"):
        list(results)


def test_without_its_head_a_stage_ends_with_an_error_and_leaves_nothing(
    tmp_path: Path, make_data, cluster: Cluster, tasks: Path, expected
) -> None:
    cluster.add()

    def kill() -> None:
        wait_until(tasks, 1)
        cluster.head.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    out = tmp_path / "ray"
    paths = [out / name for name in ("converted", "rejects", "convert.json")]
    arguments = (ConvertConfig(max_rejects=99), make_data(), TASK)
    engine = EngineConfig(name="ray", cluster=cluster.address)
    with pytest.raises(HardwareError, match="the connection to its head is lost"):
        convert.run(*arguments, engine, *paths)
    killer.join()
    assert not contents(out)
    convert.run(*arguments, EngineConfig(name="local", cluster=None), *paths)
    assert contents(out) == {name: expected[name] for name in contents(out)}
