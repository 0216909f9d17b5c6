"""A model's linear layers for inference: unpacked weights and joined products."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graft.inference.adapters import (
    AdaptedLinear,
    AdapterStack,
    number_adapters,
    switchable_adapters,
    tuned_modules,
)
from graft.inference.layers import InferenceLayer, has_llama_structure, rms_norm

Product = Callable[..., Tensor]


class DenseProduct:
    """x Wᵀ + b, added to a residual if there is one.

    Args:
        weight: shape [out features, in features].
        bias: shape [out features], or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight, self._bias = weight, bias

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """[tokens, in features] → [tokens, out features] in the dtype of x."""
        same = x.dtype == self.weight.dtype and self._bias is None
        if residual is not None and same:
            return residual.addmm_(x, self.weight.T)
        wide = x.to(self.weight.dtype)
        out = functional.linear(wide, self.weight, self._bias).to(x.dtype)
        return out if residual is None else residual.add_(out)


class ModuleProduct:
    """Linear layers as their modules compute them, with concatenated outputs."""

    def __init__(self, modules: Sequence[Any]) -> None:
        self._modules = modules

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """[tokens, in features] → [tokens, out features]."""
        parts = [module(x) for module in self._modules]
        out = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return out if residual is None else residual.add_(out)


class InferenceLinears:
    """Replaces the forward functions of a model's layers, for the time of a session.

    Args:
        owner: transformers' model.
        dense: whether 4-bit weights are unpacked once, to the dtype that they are
            multiplied in.
    """

    def __init__(self, owner: Any, *, dense: bool) -> None:
        self._dense, self._dtype = dense, owner.dtype
        self._ops = _load_ops(owner.device.type)
        self._products: dict[tuple[Any, ...], Product] = {}
        self._stacks: dict[tuple[Any, ...], AdapterStack] = {}
        self.numbers: Mapping[str | None, int] = {}
        """Of the adapters that rows may use: see `number_adapters`."""
        self._names: list[str] | None = None
        self.version = 0
        """Changes with the tensors that the layers read."""
        self._replaced: list[Any] = []

    @contextmanager
    def installed(self, owner: Any) -> Iterator[None]:
        """Run the replacements inside; the modules' own functions after it."""
        try:
            self.install(owner)
            yield
        finally:
            self._uninstall()

    def install(self, owner: Any) -> None:
        """Make the replacements, or make them anew when adapters came or went."""
        self._uninstall()
        self._names = switchable_adapters(owner)
        self.numbers = number_adapters(owner)
        for module, forward in dict(self._replacements(owner)).items():
            module.forward = forward
            self._replaced.append(module)

    def _uninstall(self) -> None:
        while self._replaced:
            self._replaced.pop().__dict__.pop("forward", None)

    def _replacements(self, owner: Any) -> Iterator[tuple[Any, Product]]:
        inside: set[Any] = set()
        for layer in owner.modules():
            if has_llama_structure(layer):
                yield layer, InferenceLayer(layer, self._join, self._ops).forward
                inside |= set(layer.modules())
        for module in owner.modules():
            if module in inside:
                continue
            if inside and type(module).__name__.endswith("RMSNorm"):
                yield module, partial(rms_norm, module)
            elif self._is_switched(module) or self._is_unpacked(module):
                yield module, self._join([module]).forward
        if self._names is None:  # PEFT's layers call their base layers
            for module in tuned_modules(owner):
                base = getattr(module, "base_layer", None)
                if self._is_unpacked(base):
                    yield base, self._join([base]).forward

    def _is_switched(self, module: Any) -> bool:
        return self._names is not None and hasattr(module, "lora_A")

    def _is_unpacked(self, module: Any) -> bool:
        return self._dense and _is_packed(module)

    def _join(self, modules: Sequence[Any]) -> AdaptedLinear:
        """One product of linear layers with the same input."""
        tuned = any(hasattr(module, "lora_A") for module in modules)
        if tuned and self._names is None:
            return AdaptedLinear(ModuleProduct(modules), None)
        base = tuple(getattr(module, "base_layer", module) for module in modules)
        if base not in self._products:
            self._products[base] = self._to_product(base)
            self.version += 1
        if not tuned:
            return AdaptedLinear(self._products[base], None)
        stack, names = self._stacks.get(base), self._names or []
        if stack is not None and stack.fits(modules, names):
            stack.refresh()
        else:
            stack = AdapterStack(modules, names, self._dtype)
            self._stacks[base] = stack
            self.version += 1
        return AdaptedLinear(self._products[base], stack)

    def _to_product(self, modules: Sequence[Any]) -> Product:
        packed = all(map(_is_packed, modules))
        plain = all(map(_is_plain, modules))
        if not (plain or packed and self._dense):
            return ModuleProduct(modules)
        parts = [unpack(module) if packed else _own(module) for module in modules]
        weights = [weight for weight, _ in parts]
        weight = weights[0]
        if len(modules) > 1:
            sizes = [len(weight) for weight in weights]
            weight = torch.cat(weights)
            for module, part in zip(modules, weight.split(sizes)):
                if plain:
                    module.weight.data = part  # a view: no second copy
        biases = [bias for _, bias in parts]
        if all(bias is None for bias in biases):
            return DenseProduct(weight, None)
        rows = zip(weights, biases, strict=True)
        filled = [w.new_zeros(len(w)) if bias is None else bias for w, bias in rows]
        return DenseProduct(weight, torch.cat(filled))


def unpack(module: Any) -> tuple[Tensor, Tensor | None]:
    """A 4-bit layer's weight and bias in the dtype of its products."""
    from bitsandbytes.functional import dequantize_4bit

    state = module.weight.quant_state
    weight = dequantize_4bit(module.weight.data, state)
    dtype = getattr(module, "compute_dtype", None) or state.dtype
    return weight.to(dtype), None if module.bias is None else module.bias.to(dtype)


def _own(module: Any) -> tuple[Tensor, Tensor | None]:
    bias = None if module.bias is None else module.bias.detach()
    return module.weight.detach(), bias


def _is_packed(module: Any) -> bool:
    """Whether it is a 4-bit layer. PEFT's layers show their base layer's weight."""
    own = dict(module.named_parameters(recurse=False)) if module is not None else {}
    return hasattr(own.get("weight"), "quant_state")


def _is_plain(module: Any) -> bool:
    """Whether it is a linear layer with weights in a floating-point type."""
    return isinstance(module, torch.nn.Linear) and module.weight.is_floating_point()


def _load_ops(device: str) -> ModuleType:
    if device == "cuda":
        from graft.kernels import cuda

        return cuda
    from graft.kernels import plain

    return plain
