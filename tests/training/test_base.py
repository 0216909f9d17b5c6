import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from graft.errors import ModelError
from graft.models.files import model_digest
from graft.training.base import dtype_on, load_base


def test_a_loaded_base_is_frozen(model_config: Any, unquantized: Any) -> None:
    base = load_base(model_config, unquantized, "cpu")
    assert not any(weight.requires_grad for weight in base.parameters())
    assert {weight.dtype for weight in base.parameters()} == {torch.float32}


def test_a_changed_folder_is_refused_with_both_digests(
    model_config: Any, unquantized: Any, base_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(base_folder, tmp_path / "changed")
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    changed = model_config.model_copy(update={"path": str(folder)})
    with pytest.raises(ModelError) as caught:
        load_base(changed, unquantized, "cpu")
    assert model_config.revision in str(caught.value)
    assert model_digest(folder) in str(caught.value)


def test_a_missing_folder_is_refused_without_a_request_to_the_hub(
    model_config: Any, unquantized: Any
) -> None:
    missing = model_config.model_copy(update={"path": "models/absent"})
    with pytest.raises(ModelError, match="no such folder"):
        load_base(missing, unquantized, "cpu")


def test_a_folder_without_weights_is_a_model_error(
    model_config: Any, unquantized: Any, base_folder: Path, tmp_path: Path
) -> None:
    shutil.copy(base_folder / "config.json", tmp_path)
    values = {"path": str(tmp_path), "revision": model_digest(tmp_path)}
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(model_config.model_copy(update=values), unquantized, "cpu")


def test_nf4_keeps_the_output_layer_and_embeddings_as_they_are(
    model_config: Any, params: Any
) -> None:
    base = load_base(model_config, params.quantization, "cpu")
    kinds = {
        name: type(module).__name__
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    assert kinds.pop("lm_head") == "Linear"
    assert set(kinds.values()) == {"Linear4bit"}
    assert base.get_input_embeddings().weight.dtype == torch.float32


@pytest.mark.parametrize("has_form", [True, False])
def test_no_base_is_repacked_for_inference_on_any_processor(
    model_config: Any,
    params: Any,
    monkeypatch: pytest.MonkeyPatch,
    has_form: bool,
) -> None:
    # bitsandbytes detects the processor when a layer is made; nothing configures it.
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: has_form)
    base = load_base(model_config, params.quantization, "cpu").eval()
    weights = {
        name: weight
        for name, weight in base.named_parameters()
        if hasattr(weight, "quant_state")
    }
    before = {name: weight.data.clone() for name, weight in weights.items()}
    with torch.no_grad():
        base(input_ids=torch.arange(3, 9)[None])
    assert weights
    for name, weight in weights.items():
        assert torch.equal(weight.data, before[name])
        assert not getattr(weight.quant_state, "packing_format_for_cpu", False)


@pytest.mark.parametrize(
    ("device", "name", "capability", "taken"),
    [
        ("cpu", "bfloat16", "AVX512", "bfloat16"),
        ("cpu", "bfloat16", "AVX2", "float32"),
        ("cpu", "bfloat16", "DEFAULT", "float32"),
        ("cpu", "float16", "AVX512", "float32"),
        ("cpu", "float32", "AVX2", "float32"),
        ("cuda", "bfloat16", "AVX2", "bfloat16"),
        ("cuda", "float16", "AVX2", "float16"),
    ],
)
def test_a_dtype_without_processor_support_is_computed_in_float32(
    device: str, name: str, capability: str, taken: str
) -> None:
    assert dtype_on(device, name, capability) is getattr(torch, taken)
