"""The train stage by several processes, which must train as one does."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.numpy import load_file
from train_pipeline import finish, kill_after, make_pipeline, start

from graft.io import read_json

NAMES = ("whole", "broken")
FEW = {"max_steps": 6, "micro_batch_size": 1, "global_batch_size": 4}


def change(folder: Path, **changes: dict[str, Any]) -> None:
    """Write other values into the line's params.yaml, section by section."""
    path = folder / "params.yaml"
    values = yaml.safe_load(path.read_text())
    for section, wanted in changes.items():
        values[section] |= wanted
    path.write_text(yaml.safe_dump(values))


@pytest.mark.slow
@pytest.mark.parametrize("shard_base", [False, True])
def test_two_processes_train_the_adapter_that_one_does(
    tmp_path: Path, shard_base: bool
) -> None:
    found, counts = {}, {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        make_pipeline(folder, num_processes=processes, **FEW)
        # Dropout draws otherwise in each process, so it is off here.
        change(folder, adapter={"dropout": 0.0})
        if shard_base:
            change(
                folder,
                model={"dtype": "bfloat16"},
                quantization={"method": "nf4"},
                train={"kernels": "fused", "shard_base": processes > 1},
            )
        with start(folder, "out") as stage:
            said = finish(stage)
        assert said.count("step 6/6") == 1
        found[processes] = load_file(folder / "out/adapter/adapter_model.safetensors")
        counts[processes] = read_json(folder / "out/train.json")["num_tokens_seen"]
        assert len(list(folder.rglob("journal.jsonl"))) == 1
    assert counts[1] == counts[2]
    one, two = found[1], found[2]
    assert one.keys() == two.keys()
    for name, weight in one.items():
        assert abs(weight - two[name]).max() < 1e-5, name


@pytest.mark.slow
def test_two_processes_that_train_all_weights_go_on_after_a_kill(
    tmp_path: Path,
) -> None:
    make_pipeline(tmp_path, num_processes=2, **(FEW | {"evaluate_every": 2}))
    path = tmp_path / "params.yaml"
    values = yaml.safe_load(path.read_text())
    values["adapter"] = {"method": "full", "freeze_layers": 1}
    path.write_text(yaml.safe_dump(values))
    with start(tmp_path, "whole") as whole:
        finish(whole)
    with start(tmp_path, "broken") as broken:
        kill_after(broken, "train: step 2/")
    with start(tmp_path, "broken") as again:
        assert "step 2/" not in finish(again)
    one, two = (load_file(tmp_path / n / "adapter/model.safetensors") for n in NAMES)
    assert one.keys() == two.keys()
    assert all((weight == two[name]).all() for name, weight in one.items())


@pytest.mark.slow
def test_an_error_of_all_processes_ends_the_stage(tmp_path: Path) -> None:
    make_pipeline(tmp_path, num_processes=2, **FEW)
    (tmp_path / "base" / "config.json").write_text("{}")
    with start(tmp_path, "out") as stage:
        said = stage.communicate(timeout=120)[1]
    assert stage.returncode == 1
    assert "error: " in said
    assert not (tmp_path / "out" / "adapter").exists()
