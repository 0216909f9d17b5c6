import json
from pathlib import Path
from typing import Any

import pytest
from model_shapes import MISTRAL_7B

from graft.commands import plan
from graft.config.params import load_params
from graft.errors import ConfigError, HardwareError
from graft.planning.setup import BatchShape

ROOT = Path(__file__).parents[2]


def run(folder: Path, num_layers: int = 32, **options: Any) -> dict[str, Any] | None:
    """The plan of a 7B base at 8 × 2,048 tokens."""
    sizes = MISTRAL_7B | {"num_hidden_layers": num_layers}
    (folder / "config.json").write_text(json.dumps(sizes), "utf-8")
    params = load_params(ROOT / "params.yaml")
    asked = {"micro_batch_size": 8, "global_batch_size": 8, "epochs": 2}
    asked |= {"gradient_checkpointing": "auto"}
    changes = {
        "model": params.model.model_copy(update={"path": str(folder)}),
        "tokenize": params.tokenize.model_copy(update={"max_seq_len": 2048}),
        "train": params.train.model_copy(update=asked),
    }
    return plan.run(
        params.model_copy(update=changes),
        **{"lengths": folder / "tokenize.json", **options},
    )


def test_the_change_that_makes_it_fit_is_shown_for_each_gpu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, tokens=1_000_000)
    said = capsys.readouterr().out
    assert "7,248.0 M parameters, nf4; 83.9 M trained; fused layers" in said
    lines = {line.split("  ")[0]: line for line in said.splitlines()}
    assert lines["H200"].endswith("all activations kept")
    assert lines["RTX 4090"].endswith("attention offloaded, 14 GiB in RAM")
    assert float(lines["L4"].split()[4]) > float(lines["H200"].split()[4])


def test_without_a_report_the_plan_states_its_assumptions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tokenize.json").write_text('{"tokens": 1000, "length": {"p75": 20}}')
    run(tmp_path, gpu="h200")
    said = capsys.readouterr().out
    assert "text lengths unknown" in said and "each text has 2,048 tokens" in said
    assert "--tokens" in said and said.splitlines()[-1].split()[4] == "?"


def test_a_gpu_that_is_too_small_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match="no settings make"):
        run(tmp_path, 320, gpu="l4")


def test_a_card_that_is_not_known_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--gpu tpu"):
        run(tmp_path, gpu="tpu")


def test_texts_are_as_the_report_tells() -> None:
    report = {"trained_share": 0.25, "length": {"p75": 90}}
    assert plan.to_batch_shape(report, 4, 512) == BatchShape(2048, 512, 90.0)
    assert plan.to_batch_shape({}, 4, 512) == BatchShape(2048, 2048, 512.0)


def test_the_same_as_json_has_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, tokens=1_000_000)
    lines = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    found = run(tmp_path, tokens=1_000_000, json=True)
    assert found is not None and capsys.readouterr().out == ""
    json.dumps(found)
    assert f"{found['num_parameters'] / 1e6:,.1f}" == "7,248.0"
    assert found["memory_gib"]["peak"] > found["memory_gib"]["base"] > 0
    rows = {row["gpu"]: row for row in found["gpus"]}
    for name in ("H200", "RTX 4090"):
        assert f"{rows[name]['needed_gib']:.1f}" in lines[name]
        assert f"{rows[name]['hours']:.1f}" in lines[name]
    assert rows["H200"]["fits"] and rows["H200"]["changes"] == {}
