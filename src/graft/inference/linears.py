"""Linear layers for inference: 4-bit weights unpacked once, adapters in fewer kernels.

An adapter stays an adapter: it is never merged, and PEFT's own switch
(`disable_adapter`, the active adapter) is read at the start of each session.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

PLAIN_NORMS = ("llama", "mistral", "qwen2", "qwen3")
"""Families whose RMS norms multiply by their weight and nothing else."""


class InferenceLinears:
    """Replaces the forward functions of linear layers, for the time of a session.

    Args:
        owner: transformers' model.
        dense: whether 4-bit weights are unpacked once, to the type that they are
            multiplied in.
    """

    def __init__(self, owner: Any, *, dense: bool) -> None:
        self._dense: dict[Any, Callable[[Tensor], Tensor]] = {}
        self._adapters: dict[Any, LowRank] = {}
        self._norms = [
            module
            for module in owner.modules()
            if owner.config.model_type in PLAIN_NORMS
            and type(module).__name__.endswith("RMSNorm")
        ]
        for module in owner.modules() if dense else ():
            # Its own weight: PEFT's layers show their base layer's as theirs.
            own = dict(module.named_parameters(recurse=False)).get("weight")
            if hasattr(own, "quant_state"):
                self._dense[module] = partial(_linear, *unpack(module))

    @contextmanager
    def installed(self, owner: Any) -> Iterator[None]:
        """Run the layers' replacements inside; the owner's own functions after it."""
        chosen = dict(self._dense)
        if owner.device.type == "cuda":
            chosen |= self._low_rank(owner)
            chosen |= {norm: partial(norm_in_one_kernel, norm) for norm in self._norms}
        for module, forward in chosen.items():
            module.forward = forward
        try:
            yield
        finally:
            for module in chosen:
                del module.forward

    def _low_rank(self, owner: Any) -> dict[Any, Callable[[Tensor], Tensor]]:
        """Adapters whose sum is one product; others run as PEFT has them."""
        chosen: dict[Any, Callable[[Tensor], Tensor]] = {}
        for module in owner.modules():
            if not hasattr(module, "lora_A") or not hasattr(module, "base_layer"):
                continue
            names = [name for name in module.active_adapters if name in module.lora_A]
            if module.disable_adapters or not names:
                chosen[module] = module.base_layer.__call__
            elif len(names) == 1 and not module.merged and _is_plain(module, names[0]):
                if module not in self._adapters:
                    self._adapters[module] = LowRank(module, names[0], owner.dtype)
                chosen[module] = self._adapters[module].forward
                self._adapters[module].name = names[0]
        used = [x for m, x in self._adapters.items() if m in chosen]
        used = [low for low in used if chosen[low.module] == low.forward]
        if used:
            refresh(used)
        return chosen


class LowRank:
    """A LoRA layer with its adapter in the type of the base.

    Args:
        module: of PEFT.
        name: of the adapter.
        dtype: of products.
    """

    def __init__(self, module: Any, name: str, dtype: torch.dtype) -> None:
        self.module, self.name = module, name
        self.down = module.lora_A[name].weight.detach().to(dtype, copy=True)
        self.up = module.lora_B[name].weight.detach().to(dtype, copy=True)

    def forward(self, x: Tensor) -> Tensor:
        """The base layer's outputs plus the adapter's. Shape [rows, tokens, out]."""
        out: Tensor = self.module.base_layer(x)
        inner = functional.linear(x, self.down).flatten(0, 1)
        return out.flatten(0, 1).addmm_(inner, self.up.T).view(out.shape)


def refresh(layers: list[LowRank]) -> None:
    """Copy the adapters' present weights to where the layers, and CUDA graphs, read."""
    with torch.no_grad():
        for side in ("A", "B"):
            new = [
                getattr(low.module, f"lora_{side}")[low.name].weight for low in layers
            ]
            kept = [low.down if side == "A" else low.up for low in layers]
            for place, weight in enumerate(new):
                if weight.shape != kept[place].shape:  # another rank
                    kept[place] = torch.empty_like(weight, dtype=kept[place].dtype)
                    setattr(layers[place], "down" if side == "A" else "up", kept[place])
            torch._foreach_copy_(kept, new)  # pylint: disable=protected-access
        scales = [float(low.module.scaling[low.name]) for low in layers]
        ups = [low.up for low in layers]
        torch._foreach_mul_(ups, scales)  # pylint: disable=protected-access


def unpack(module: Any) -> tuple[Tensor, Tensor | None, torch.dtype]:
    """A 4-bit layer's weight and bias in the type of its products, and that type."""
    from bitsandbytes.functional import dequantize_4bit

    state = module.weight.quant_state
    weight = dequantize_4bit(module.weight.data, state)
    dtype = getattr(module, "compute_dtype", None) or state.dtype
    bias = None if module.bias is None else module.bias.detach().to(dtype)
    return weight.to(dtype), bias, dtype


def _linear(weight: Tensor, bias: Tensor | None, dtype: torch.dtype, x: Tensor) -> Any:
    return functional.linear(x.to(dtype), weight, bias).to(x.dtype)


def norm_in_one_kernel(module: Any, x: Tensor) -> Tensor:
    """The outputs of an RMS norm of `PLAIN_NORMS`, in one kernel."""
    size, epsilon = module.weight.shape, module.variance_epsilon
    out: Tensor = functional.rms_norm(x, size, module.weight, epsilon)
    return out


def _is_plain(module: Any, name: str) -> bool:
    """Whether the adapter is B A x alone: no DoRA, no bias, on a linear layer."""
    down, up = module.lora_A[name], module.lora_B[name]
    return (
        name not in getattr(module, "lora_variant", {})
        and isinstance(down, torch.nn.Linear)
        and up.bias is None
        and not getattr(module, "fan_in_fan_out", False)
    )
