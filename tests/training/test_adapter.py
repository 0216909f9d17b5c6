import re
from pathlib import Path
from typing import Any

import pytest
import torch
from small_mistral import small_mistral

from graft.errors import ModelError
from graft.io import read_json
from graft.models.adapter_record import RECORD
from graft.training.adapter import attach_adapter, load_adapter, save_adapter
from graft.training.base import load_base

IDS = torch.tensor([[5, 9, 20, 31, 7]])


@pytest.fixture
def base(model_config: Any, unquantized: Any) -> Any:
    return load_base(model_config, unquantized, "cpu")


def attach(base: Any, params: Any, **changes: Any) -> Any:
    small = {"rank": 4, "alpha": 8.0, "dropout": 0.0}
    adapter = params.adapter.model_copy(update=small | changes)
    return attach_adapter(base, adapter, params.train, checkpointing=False)


def trained(model: Any) -> list[str]:
    """Names of the trained weights."""
    return [name for name, weight in model.named_parameters() if weight.requires_grad]


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


def test_all_linear_trains_every_linear_layer_but_the_output(
    base: Any, params: Any
) -> None:
    names = trained(attach(base, params))
    assert all("lora_" in name for name in names)
    assert not any("lm_head" in name for name in names)
    assert len(names) == 2 * 7 * 2  # layers, their linear layers, A and B


def test_frozen_layers_get_no_adapter(base: Any, params: Any) -> None:
    names = trained(attach(base, params, freeze_layers=1))
    layers = {re.search(r"layers\.(\d+)", name)[1] for name in names}
    assert layers == {"1"}


def test_freezing_every_layer_is_refused(base: Any, params: Any) -> None:
    with pytest.raises(ModelError, match="the base has 2 layers"):
        attach(base, params, freeze_layers=2)


def test_a_target_that_the_base_lacks_is_refused(base: Any, params: Any) -> None:
    with pytest.raises(ModelError, match=r"adapter\.target_modules=\['no_proj'\]"):
        attach(base, params, target_modules=["no_proj"])


def test_a_new_adapter_changes_no_output(base: Any, params: Any) -> None:
    before = logits(base)
    assert torch.equal(logits(attach(base, params).eval()), before)


def test_adapter_weights_are_float32_over_a_bfloat16_base(
    model_config: Any, unquantized: Any, params: Any
) -> None:
    half = model_config.model_copy(update={"dtype": "bfloat16"})
    tuned = attach(load_base(half, unquantized, "cpu"), params)
    assert {w.dtype for w in tuned.parameters() if w.requires_grad} == {torch.float32}


@pytest.mark.parametrize("kind", [{}, {"rslora": True}, {"dora": True}])
def test_a_saved_adapter_gives_the_same_output(
    model_config: Any, unquantized: Any, params: Any, tmp_path: Path, kind: Any
) -> None:
    base = load_base(model_config, unquantized, "cpu")
    untuned = logits(base)
    tuned = attach(base, params, freeze_layers=1, **kind).eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.5)
    save_adapter(tuned, tmp_path / "adapter", {"run_id": "r"})
    assert read_json(tmp_path / "adapter" / RECORD) == {"run_id": "r"}
    again = load_adapter(
        load_base(model_config, unquantized, "cpu"), tmp_path / "adapter"
    )
    assert torch.equal(logits(again), logits(tuned))
    assert not torch.allclose(logits(again), untuned)
    assert not again.training


def test_a_folder_without_an_adapter_is_refused(base: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no adapter here"):
        load_adapter(base, tmp_path)


def test_an_adapter_of_another_base_is_refused(
    base: Any, params: Any, tmp_path: Path
) -> None:
    save_adapter(attach(base, params), tmp_path / "adapter", {})
    with pytest.raises(ModelError, match="does not fit this base"):
        load_adapter(small_mistral(128, head_dim=8), tmp_path / "adapter")
