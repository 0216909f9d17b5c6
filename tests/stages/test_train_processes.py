"""The train stage by several processes, which must train as one does."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file
from train_line import finish, make_line, start

from graft.io import read_json

FEW = {"max_steps": 6, "micro_batch_size": 1, "global_batch_size": 4}


@pytest.mark.slow
def test_two_processes_train_the_adapter_that_one_does(tmp_path: Path) -> None:
    found, counts = {}, {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        make_line(folder, num_processes=processes, **FEW)
        # Dropout draws otherwise in each process, so it is off here.
        text = (folder / "params.yaml").read_text()
        (folder / "params.yaml").write_text(
            text.replace("dropout: 0.1", "dropout: 0.0")
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
def test_an_error_of_all_processes_ends_the_stage(tmp_path: Path) -> None:
    make_line(tmp_path, num_processes=2, **FEW)
    (tmp_path / "base" / "config.json").write_text("{}")
    with start(tmp_path, "out") as stage:
        said = stage.communicate(timeout=120)[1]
    assert stage.returncode == 1
    assert "error: " in said
    assert not (tmp_path / "out" / "adapter").exists()
