"""Merging an adapter into its unquantized base, and checking the result."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from graft.config import ModelConfig, QuantizationConfig
from graft.errors import ModelError
from graft.exporting.folders import write_configs
from graft.exporting.parity import Parity, check_parity, compare, logits_of, tolerance
from graft.models.files import model_digest, read_shape
from graft.training.adapter import load_adapter
from graft.training.base import load_base, load_model

SHARD_SIZE = "5GB"


@dataclass(frozen=True)
class Merge:
    """Comparisons with the unquantized base and its adapter, unmerged.

    Args:
        merged: of the merged model, loaded from its files.
        base: of the base without adapter: the effect of the adapter.
        trained: of the quantized base with adapter, as in training; None if the base
            was not quantized.
        tolerance: largest difference of `merged`, relative to the spread.
        revision: digest of the merged model's files.
    """

    merged: Parity
    base: Parity
    trained: Parity | None
    tolerance: float
    revision: str


def merge_adapter(
    adapter: Path,
    model: ModelConfig,
    trained: QuantizationConfig,
    sequences: Sequence[Sequence[int]],
    device: str,
    folder: Path,
    changes: Mapping[str, Any],
) -> Merge:
    """Write the merged model's weights and configuration, and check them.

    One model is in memory at a time. The base is loaded without quantization.

    Args:
        adapter: its folder.
        model: its base; merged weights have its `dtype`.
        trained: quantization of the base in training, for the comparison only.
        sequences: token ids to compare logits on.
        device: `cpu` or `cuda`.
        folder: the output.
        changes: of generation_config.json: EOS and padding tokens.
    Raises: ModelError if the base is stored quantized, or the merge fails its check.
    """
    values = read_shape(model)
    if "quantization_config" in values:
        raise _quantized(f"{model.path}@{model.revision}")
    kinds = {"method": "none", "double_quant": False, "compute_dtype": model.dtype}
    unquantized = QuantizationConfig.model_validate(kinds)
    logits = {}
    if trained.method != "none":
        tuned = load_adapter(load_base(model, trained, device), adapter)
        logits["trained"] = logits_of(tuned, sequences)
        del tuned
        _free()
    tuned = load_adapter(load_base(model, unquantized, device), adapter)
    with tuned.disable_adapter():
        logits["base"] = logits_of(tuned, sequences)
    expected = logits_of(tuned, sequences)
    merged = merge(tuned, getattr(torch, model.dtype))
    save_merged(merged, model, values, folder, changes)
    del tuned, merged
    _free()
    revision = model_digest(folder)
    loaded = load_model(str(folder), None, None, device, model.dtype)
    logits["merged"] = logits_of(loaded, sequences)
    found = {name: compare(expected, one) for name, one in logits.items()}
    allowed = tolerance(model.dtype, loaded.config.num_hidden_layers)
    check_parity(found["merged"], found["base"], allowed, model.dtype, str(adapter))
    return Merge(
        found["merged"], found["base"], found.get("trained"), allowed, revision
    )


def merge(tuned: Any, dtype: torch.dtype) -> Any:
    """The base with the adapter merged into its weights, and without PEFT modules.

    Each weight is summed in float32 and rounded once. PEFT's own `safe_merge` also
    rounds the adapter's product before the sum.

    Args:
        tuned: a PEFT model over an unquantized base, which is modified.
        dtype: of the merged weights.
    Raises: ModelError if the base is quantized, or a weight is NaN or infinite.
    """
    from peft.tuners.lora import LoraLayer

    for name, module in tuned.named_modules():
        if not isinstance(module, LoraLayer):
            continue
        weight = module.get_base_layer().weight
        if hasattr(weight, "quant_state") or not weight.is_floating_point():
            raise _quantized(name)
        weight.data = weight.data.float()
        try:
            module.merge(safe_merge=True)
        except ValueError as error:
            raise _not_finite(name) from error
        weight = module.get_base_layer().weight
        weight.data = weight.data.to(dtype)
        if not weight.isfinite().all():
            raise _not_finite(name)
    return tuned.unload().to(dtype)


def save_merged(
    base: Any,
    model: ModelConfig,
    values: Mapping[str, Any],
    folder: Path,
    changes: Mapping[str, Any],
) -> None:
    """Write a model's weights, and the base's own configuration."""
    from transformers import GenerationConfig

    base.generation_config = GenerationConfig()  # saving may reject the base's own
    base.save_pretrained(folder, max_shard_size=SHARD_SIZE)
    write_configs(model, values, folder, changes)


def _free() -> None:
    """Free memory before the next model. PEFT models contain reference cycles."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _quantized(where: str) -> ModelError:
    return ModelError(
        where,
        "the base is stored quantized, and rounding would undo a merge into it",
        expected="unquantized weights: bfloat16, float16 or float32",
        fix="take the original model, or export the adapter without --merge",
    )


def _not_finite(where: str) -> ModelError:
    return ModelError(
        where,
        "a merged weight is NaN or infinite",
        expected="weights within the range of the base's dtype",
        fix="look at the training's curves; set model.dtype: bfloat16 if it is float16",
    )
