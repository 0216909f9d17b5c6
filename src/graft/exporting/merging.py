"""An adapter merged into its base: always the unquantized one, and always checked."""

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
    """What was measured of a merge, all against the base with its adapter.

    Args:
        merged: the merged model, read back from its files.
        base: the base alone: how far the adapter moves it.
        trained: base and adapter as training and evaluation had them, quantized; None
            if they were not.
        tolerance: how much of the spread `merged` may be off by.
        revision: the digest of the merged model's files.
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

    One model at a time is held. The base is loaded anew, without quantization.

    Args:
        adapter: its folder.
        model: its base, whose `dtype` the merged weights have.
        trained: how the base was stored in training, for comparison alone.
        sequences: token ids to compare logits on.
        device: `cpu` or `cuda`.
        folder: where the model goes.
        changes: of generation_config.json: the tokens that end and fill.
    Raises: ModelError if the base is stored quantized, or the merge fails its check.
    """
    values = read_shape(model)
    if "quantization_config" in values:
        raise _quantized(f"{model.path}@{model.revision}")
    kinds = {"method": "none", "double_quant": False, "compute_dtype": model.dtype}
    whole = QuantizationConfig.model_validate(kinds)
    logits = {}
    if trained.method != "none":
        tuned = load_adapter(load_base(model, trained, device), adapter)
        logits["trained"] = logits_of(tuned, sequences)
        del tuned
        _free()
    tuned = load_adapter(load_base(model, whole, device), adapter)
    with tuned.disable_adapter():
        logits["base"] = logits_of(tuned, sequences)
    expected = logits_of(tuned, sequences)
    merged = merge(tuned, getattr(torch, model.dtype))
    save_merged(merged, model, values, folder, changes)
    del tuned, merged
    _free()
    revision = model_digest(folder)
    again = load_model(str(folder), None, None, device, model.dtype)
    logits["merged"] = logits_of(again, sequences)
    found = {name: compare(expected, one) for name, one in logits.items()}
    allowed = tolerance(model.dtype, again.config.num_hidden_layers)
    check_parity(found["merged"], found["base"], allowed, model.dtype, str(adapter))
    return Merge(
        found["merged"], found["base"], found.get("trained"), allowed, revision
    )


def merge(tuned: Any, dtype: torch.dtype) -> Any:
    """The base with its adapter in its weights, and no trace of PEFT.

    Each weight is summed in float32 and rounded once. PEFT alone, with `safe_merge`,
    rounds the adapter's product before the sum as well.

    Args:
        tuned: a PEFT model over an unquantized base, which is changed.
        dtype: what merged weights are rounded to.
    Raises: ModelError if the base is quantized, or a weight is no number.
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
            raise _no_number(name) from error
        weight = module.get_base_layer().weight
        weight.data = weight.data.to(dtype)
        if not weight.isfinite().all():
            raise _no_number(name)
    return tuned.unload().to(dtype)


def save_merged(
    base: Any,
    model: ModelConfig,
    values: Mapping[str, Any],
    folder: Path,
    changes: Mapping[str, Any],
) -> None:
    """Write a model's weights, and the base's own configuration beside them."""
    from transformers import GenerationConfig

    base.generation_config = GenerationConfig()  # a base's own may be refused here
    base.save_pretrained(folder, max_shard_size=SHARD_SIZE)
    write_configs(model, values, folder, changes)


def _free() -> None:
    """Give memory back before the next model: PEFT's models refer to themselves."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _quantized(where: str) -> ModelError:
    return ModelError(
        where,
        "the base is stored quantized, and a merge into it would be rounded away",
        expected="weights as they were trained: bfloat16, float16 or float32",
        fix="take the original model, or export the adapter without --merge",
    )


def _no_number(where: str) -> ModelError:
    return ModelError(
        where,
        "a merged weight is no finite number",
        expected="weights within what the base's type can hold",
        fix="look at the training's curves; set model.dtype: bfloat16 if it is float16",
    )
