"""Checks of values that are valid individually but cannot be combined."""

from collections.abc import Iterator, Mapping
from typing import Any


class _Values:
    """Composed values, which may be invalid; a missing value is None."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __call__(self, name: str) -> Any:
        section, key = name.split(".")
        group = self._values.get(section)
        return group.get(key) if isinstance(group, dict) else None

    def shown(self, *names: str) -> str:
        """Keys with their values, as overrides."""
        pairs = (f"{name}={str(self(name)).lower()}" for name in names)
        return " with ".join(pairs)


def impossible_pairs(values: Mapping[str, Any]) -> list[str]:
    """A message for each invalid combination: the reason, and what to set instead."""
    at = _Values(values)
    rules = (_of_storage, _of_layers, _of_answers, _of_vllm, _of_metrics)
    return [message for rule in rules for message in rule(at)]


def _of_storage(at: _Values) -> Iterator[str]:
    method = at("quantization.method")
    if method == "none" and at("quantization.double_quant"):
        yield (
            f"{at.shown('quantization.double_quant', 'quantization.method')}: a base "
            "that is not quantized has no scales to quantize"
        )
    if at("adapter.method") == "full" and method != "none":
        yield (
            f"{at.shown('adapter.method', 'quantization.method')}: 4-bit weights "
            "have no gradients; set quantization=none, or adapter=lora"
        )
    if at("train.shard_base") and method == "none":
        yield (
            f"{at.shown('train.shard_base', 'quantization.method')}: only 4-bit "
            "weights can be sharded; set quantization=nf4 or shard_base=false"
        )
    if at("train.device") == "cpu" and "paged" in str(at("train.optimizer")):
        yield (
            f"{at.shown('train.optimizer', 'train.device')}: paging needs a "
            "GPU; use adamw_8bit"
        )


def _of_layers(at: _Values) -> Iterator[str]:
    """Settings that require fused layers, with settings that rule these out."""
    plain = {
        "adapter.method": at("adapter.method") == "full",
        "adapter.dora": at("adapter.dora") is True,
        "train.kernels": at("train.kernels") == "plain",
    }
    configured = {
        "train.kernels": at("train.kernels") == "fused",
        "train.shard_base": at("train.shard_base") is True,
        "train.gradient_checkpointing": at("train.gradient_checkpointing")
        in ("selective", "swap", "offload"),
    }
    why = next((name for name, there in plain.items() if there), None)
    for name, is_set in configured.items():
        if is_set and why:
            yield f"{at.shown(name, why)}: the first needs fused layers; change one"
    offloads = at("train.gradient_checkpointing") in ("swap", "offload")
    if at("train.device") == "cpu" and offloads:
        yield (
            f"{at.shown('train.gradient_checkpointing', 'train.device')}: activations "
            "are in host memory already; set it to true or false"
        )


def _of_answers(at: _Values) -> Iterator[str]:
    if (at("generation.num_beams") or 1) > 1 and at("generation.temperature"):
        yield (
            f"{at.shown('generation.num_beams', 'generation.temperature')}: beam "
            "search does not sample; change one of them"
        )


def _of_vllm(at: _Values) -> Iterator[str]:
    """What vLLM cannot do, or does otherwise than graft's engine."""
    if at("generation.backend") != "vllm":
        return
    if not at("generation.vllm_python"):
        yield (
            f"{at.shown('generation.backend', 'generation.vllm_python')}: name the "
            "Python of the environment in which vLLM is installed"
        )
    reasons = {}
    if (at("generation.num_beams") or 1) > 1:
        reasons["generation.num_beams"] = "its beam search ends and ranks otherwise"
    if at("adapter.dora") is True:
        reasons["adapter.dora"] = "vLLM does not support DoRA"
    if at("quantization.method") not in (None, "none"):
        reasons["quantization.method"] = (
            "vLLM quantizes weights itself, otherwise than they were trained"
        )
    for name, reason in reasons.items():
        yield (
            f"{at.shown('generation.backend', name)}: {reason}; change it, or set "
            "generation.backend=engine"
        )


def _of_metrics(at: _Values) -> Iterator[str]:
    """Requirements on metrics that are not computed; the evaluation would fail only
    after training."""
    requirements = at("evaluate.requirements")
    required = requirements.get("metrics") if isinstance(requirements, dict) else None
    measured = at("evaluate.metrics")
    if not isinstance(required, dict) or not isinstance(measured, list):
        return
    for name, bounds in required.items():
        if bounds is not None and name not in measured:
            yield (
                f"evaluate.requirements.metrics.{name}: not in evaluate.metrics "
                f"({', '.join(map(str, measured))}); add it there, or set it to null"
            )
