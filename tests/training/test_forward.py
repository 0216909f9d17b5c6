from importlib.util import find_spec
from typing import Any

import pytest
import torch
from small_training import make_documents

from graft.errors import ModelError
from graft.training.base import load_base
from graft.training.forward import missing_dependency, prepare


def one_step(loop: Any) -> dict[str, torch.Tensor]:
    """The adapter's weights after a step, and the validation loss."""
    loop.run()
    weights = {name: weight.detach().clone() for name, weight in loop.weights.items()}
    return weights | {"validation": torch.tensor(loop.progress.best_loss)}


@pytest.mark.parametrize("fused", ["all", "attention", "input"])
def test_steps_by_fused_layers_are_those_of_transformers_and_peft(
    make_loop: Any, fused: str
) -> None:
    few = {"max_steps": 3, "train": make_documents(40), "dropout": 0.0}
    plain = one_step(make_loop("plain", **few))
    found = one_step(make_loop("fused", fused=fused, **few))
    assert found.keys() == plain.keys()
    for name, weight in plain.items():
        assert torch.allclose(found[name], weight, rtol=1e-4, atol=1e-5), name


def test_a_cpu_uses_fused_layers_only_when_configured(
    model_config: Any, unquantized: Any, params: Any, train_config: Any
) -> None:
    taken = {}
    for kernels in ("auto", "fused", "plain"):
        base = load_base(model_config, unquantized, "cpu", "packed")
        config = train_config.model_copy(update={"kernels": kernels})
        forward = prepare(base, params.adapter, config, torch.float32).forward
        taken[kernels] = "fused_loss" in repr(forward)
    assert taken == {"auto": False, "fused": True, "plain": False}


def test_configured_but_unsupported_fused_layers_are_refused(
    model_config: Any, unquantized: Any, params: Any, train_config: Any
) -> None:
    base = load_base(model_config, unquantized, "cpu", "packed")
    fused = train_config.model_copy(update={"kernels": "fused"})
    dora = params.adapter.model_copy(update={"dora": True})
    with pytest.raises(ModelError, match="is not supported here: DoRA"):
        prepare(base, dora, fused, torch.float32)


def test_only_fused_layers_support_selective_checkpointing(
    model_config: Any, unquantized: Any, params: Any, train_config: Any
) -> None:
    for kernels in ("fused", "plain"):
        base = load_base(model_config, unquantized, "cpu", "packed")
        changes = {"kernels": kernels, "gradient_checkpointing": "selective"}
        config = train_config.model_copy(update=changes)
        if kernels == "fused":
            prepare(base, params.adapter, config, torch.float32)
            continue
        with pytest.raises(ModelError, match="train.kernels is plain"):
            prepare(base, params.adapter, config, torch.float32)


@pytest.mark.parametrize("kernels", ["auto", "plain", "fused"])
def test_offloading_without_a_gpu_is_refused(
    model_config: Any, unquantized: Any, params: Any, train_config: Any, kernels: str
) -> None:
    base = load_base(model_config, unquantized, "cpu", "packed")
    changes = {"kernels": kernels, "gradient_checkpointing": "offload"}
    config = train_config.model_copy(update=changes)
    with pytest.raises(ModelError, match="offload: is not supported here"):
        prepare(base, params.adapter, config, torch.float32)


def test_only_a_gpu_without_triton_lacks_kernels() -> None:
    there = find_spec("triton") is not None
    assert bool(missing_dependency("cuda")) == (not there)
    assert missing_dependency("cpu") == ""
