"""Merges of random adapters into random base models, through files."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_folders import save_weights

from graft.config import ModelConfig
from graft.errors import ModelError
from graft.exporting.merging import Merge, merge, merge_adapter
from graft.exporting.parity import check_parity, compare, logits_of, tolerance
from graft.models.files import model_digest
from graft.training.adapter import attach_adapter, load_adapter, save_adapter
from graft.training.base import load_base

SEQUENCES = [[5, 9, 20, 31, 7, 80, 81], [1, 100, 64], [7]]
CHANGES = {"eos_token_id": [2, 5], "pad_token_id": 0}


@pytest.fixture
def half(model_config: ModelConfig) -> ModelConfig:
    return model_config.model_copy(update={"dtype": "bfloat16"})


def train_adapter(
    folder: Path, model: ModelConfig, params: Any, std: float = 0.3, **changes: Any
) -> Path:
    """An adapter with random weights that change the output."""
    unquantized = {
        "method": "none",
        "double_quant": False,
        "compute_dtype": model.dtype,
    }
    base = load_base(model, params.quantization.model_copy(update=unquantized), "cpu")
    adapter = params.adapter.model_copy(update={"rank": 4, "alpha": 8.0} | changes)
    tuned = attach_adapter(base, adapter, params.train, checkpointing=False)
    torch.manual_seed(1)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name or "magnitude" in name:
            weight.data += std * torch.randn_like(weight)
    save_adapter(tuned, folder, {})
    return folder


def merge_to(
    out: Path, adapter: Path, model: ModelConfig, trained: Any, **changes: Any
) -> Merge:
    out.mkdir()
    return merge_adapter(
        adapter, model, trained, SEQUENCES, "cpu", out, CHANGES | changes
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "kind",
    [{}, {"rslora": True}, {"dora": True}, {"freeze_layers": 1}],
    ids=["lora", "rslora", "dora", "frozen"],
)
def test_a_saved_merged_model_gives_the_logits_of_base_and_adapter(
    model_config: Any,
    unquantized: Any,
    params: Any,
    tmp_path: Path,
    kind: Any,
    dtype: str,
) -> None:
    model = model_config.model_copy(update={"dtype": dtype})
    adapter = train_adapter(tmp_path / "adapter", model, params, **kind)
    done = merge_to(tmp_path / "out", adapter, model, unquantized)
    assert done.merged.relative < done.tolerance == tolerance(dtype, 2)
    assert done.base.relative > 10 * done.tolerance
    assert done.trained is None
    assert done.revision == model_digest(tmp_path / "out")


def test_each_merged_weight_is_rounded_once_unlike_with_safe_merge(
    half: ModelConfig, unquantized: Any, params: Any, tmp_path: Path
) -> None:
    folder = train_adapter(tmp_path / "adapter", half, params, std=0.05)
    name = "model.layers.0.mlp.up_proj"

    def load() -> Any:
        return load_adapter(load_base(half, unquantized, "cpu"), folder)

    layer = load().get_base_model().get_submodule(name)
    a, b = (part["default"].weight.double() for part in (layer.lora_A, layer.lora_B))
    exact = layer.base_layer.weight.double() + layer.scaling["default"] * b @ a
    nearest = exact.to(torch.bfloat16)
    ours = merge(load(), torch.bfloat16).get_submodule(name).weight
    theirs = load().merge_and_unload(safe_merge=True).get_submodule(name).weight
    assert (ours == nearest).float().mean() > 0.999
    assert (theirs == nearest).float().mean() < 0.95


def test_a_merge_is_also_compared_with_the_4_bit_model_of_training(
    half: ModelConfig, params: Any, tmp_path: Path
) -> None:
    adapter = train_adapter(tmp_path / "adapter", half, params)
    done = merge_to(tmp_path / "out", adapter, half, params.quantization)
    assert done.trained and done.trained.relative > 3 * done.merged.relative
    written = json.loads((tmp_path / "out" / "config.json").read_text())
    assert "quantization_config" not in written and written["dtype"] == "bfloat16"


def test_merging_into_4_bit_weights_is_refused_because_the_result_differs(
    half: ModelConfig, params: Any, tmp_path: Path
) -> None:
    folder = train_adapter(tmp_path / "adapter", half, params, std=0.02)
    tuned = load_adapter(load_base(half, params.quantization, "cpu"), folder)
    with pytest.raises(ModelError, match="stored quantized"):
        merge(tuned, torch.bfloat16)
    expected = logits_of(tuned, SEQUENCES)
    with tuned.disable_adapter():
        moved = compare(expected, logits_of(tuned, SEQUENCES))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Merge lora module to 4-bit")
        rounded = tuned.merge_and_unload()
    found = compare(expected, logits_of(rounded, SEQUENCES))
    with pytest.raises(ModelError, match="differs from the base with its adapter"):
        check_parity(found, moved, tolerance("bfloat16", 2), "bfloat16", "here")


def test_a_base_that_is_stored_quantized_is_refused(
    half: ModelConfig, params: Any, unquantized: Any, tmp_path: Path
) -> None:
    from shutil import copytree

    base = copytree(half.path, tmp_path / "base")
    values = json.loads((base / "config.json").read_text())
    values["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (base / "config.json").write_text(json.dumps(values))
    packed = half.model_copy(update={"path": str(base)})
    adapter = train_adapter(tmp_path / "adapter", half, params)
    with pytest.raises(ModelError, match="stored quantized"):
        merge_to(tmp_path / "out", adapter, packed, unquantized)


def test_a_merge_that_changes_a_tied_weight_is_refused(
    half: ModelConfig, params: Any, unquantized: Any, tmp_path: Path
) -> None:
    save_weights(tmp_path / "base", "mistral", tie_word_embeddings=True)
    place = {
        "path": str(tmp_path / "base"),
        "revision": model_digest(tmp_path / "base"),
    }
    tied = half.model_copy(update=place)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(tied|tie_word|embedding layers)")
        adapter = train_adapter(
            tmp_path / "adapter", tied, params, target_modules=["lm_head"]
        )
        with pytest.raises(ModelError, match="differs from the base with its adapter"):
            merge_to(tmp_path / "out", adapter, tied, unquantized)


def test_an_adapter_with_less_effect_than_rounding_is_refused(
    half: ModelConfig, params: Any, unquantized: Any, tmp_path: Path
) -> None:
    adapter = train_adapter(tmp_path / "adapter", half, params, std=1e-4)
    with pytest.raises(ModelError, match="lost in rounding"):
        merge_to(tmp_path / "out", adapter, half, unquantized)


@pytest.mark.parametrize(
    ("dtype", "std"), [("bfloat16", float("nan")), ("float16", 1e6)]
)
def test_weights_that_are_nan_are_refused_by_name(
    model_config: Any,
    params: Any,
    unquantized: Any,
    tmp_path: Path,
    dtype: str,
    std: float,
) -> None:
    model = model_config.model_copy(update={"dtype": dtype})
    adapter = train_adapter(tmp_path / "adapter", model, params, std=std)
    with pytest.raises(ModelError, match="q_proj: a merged weight is NaN or infinite"):
        merge_to(tmp_path / "out", adapter, model, unquantized)


def test_the_configuration_is_that_of_the_base_with_eos_tokens(
    half: ModelConfig, params: Any, unquantized: Any, tmp_path: Path
) -> None:
    adapter = train_adapter(tmp_path / "adapter", half, params)
    merge_to(tmp_path / "out", adapter, half, unquantized)
    own, merged = (
        json.loads((Path(folder) / "config.json").read_text())
        for folder in (half.path, tmp_path / "out")
    )
    assert merged == own | {"dtype": "bfloat16"}
    written = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    assert written["eos_token_id"] == [2, 5] and written["pad_token_id"] == 0
