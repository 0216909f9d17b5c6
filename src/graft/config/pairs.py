"""Values that are right alone and cannot work together."""

from collections.abc import Iterator, Mapping
from typing import Any


class _Values:
    """Composed values that may be wrong: what is not there is None."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __call__(self, name: str) -> Any:
        section, key = name.split(".")
        group = self._values.get(section)
        return group.get(key) if isinstance(group, dict) else None

    def shown(self, *names: str) -> str:
        """Keys with their values, as params.yaml would be overridden."""
        pairs = (f"{name}={str(self(name)).lower()}" for name in names)
        return " with ".join(pairs)


def impossible_pairs(values: Mapping[str, Any]) -> list[str]:
    """What cannot be, why, and what to set instead."""
    at = _Values(values)
    return [*_of_storage(at), *_of_layers(at), *_of_answers(at), *_of_metrics(at)]


def _of_storage(at: _Values) -> Iterator[str]:
    method = at("quantization.method")
    if method == "none" and at("quantization.double_quant"):
        yield (
            f"{at.shown('quantization.double_quant', 'quantization.method')}: there is "
            "nothing to quantize twice"
        )
    if at("adapter.method") == "full" and method != "none":
        yield (
            f"{at.shown('adapter.method', 'quantization.method')}: weights of 4 bits "
            "have no gradient; set quantization=none, or adapter=lora"
        )
    if at("train.shard_base") and method == "none":
        yield (
            f"{at.shown('train.shard_base', 'quantization.method')}: only weights of 4 "
            "bits are dealt out; set quantization=nf4 or shard_base=false"
        )
    if at("train.device") == "cpu" and "paged" in str(at("train.optimizer")):
        yield (
            f"{at.shown('train.optimizer', 'train.device')}: there is no memory beside "
            "the processor's to page to; use adamw_8bit"
        )


def _of_layers(at: _Values) -> Iterator[str]:
    """What fused layers alone can do, where they cannot be."""
    plain = {
        "adapter.method": at("adapter.method") == "full",
        "adapter.dora": at("adapter.dora") is True,
        "train.kernels": at("train.kernels") == "plain",
    }
    wishes = {
        "train.kernels": at("train.kernels") == "fused",
        "train.shard_base": at("train.shard_base") is True,
        "train.gradient_checkpointing": at("train.gradient_checkpointing")
        in ("selective", "swap", "offload"),
    }
    why = next((name for name, there in plain.items() if there), None)
    for wish, asked in wishes.items():
        if asked and why:
            yield f"{at.shown(wish, why)}: it needs fused layers; set one of them back"
    is_away = at("train.gradient_checkpointing") in ("swap", "offload")
    if at("train.device") == "cpu" and is_away:
        yield (
            f"{at.shown('train.gradient_checkpointing', 'train.device')}: what is kept "
            "is in the machine's memory already; set it to true or false"
        )


def _of_answers(at: _Values) -> Iterator[str]:
    if (at("evaluate.num_beams") or 1) > 1 and at("evaluate.temperature"):
        yield (
            f"{at.shown('evaluate.num_beams', 'evaluate.temperature')}: beam search "
            "does not sample; set one of them back"
        )


def _of_metrics(at: _Values) -> Iterator[str]:
    """A requirement on what is not measured could only fail, after the training."""
    requirements = at("evaluate.requirements")
    required = requirements.get("metrics") if isinstance(requirements, dict) else None
    measured = at("task.metrics")
    if not isinstance(required, dict) or not isinstance(measured, list):
        return
    for name, bounds in required.items():
        if bounds is not None and name not in measured:
            yield (
                f"evaluate.requirements.metrics.{name}: not among task.metrics "
                f"({', '.join(map(str, measured))}); measure it, or set it to null"
            )
