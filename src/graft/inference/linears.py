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
    Product,
    number_adapters,
    switchable_adapters,
    tuned_modules,
)
from graft.inference.layers import InferenceLayer, has_llama_structure, rms_norm
from graft.models.lean_imports import lean_imports

APPENDED_ROUND = 16
"""Rows are appended in multiples of it, so that the outputs of tokens stay aligned."""


class DenseProduct:
    """x Wᵀ + b, added to a residual if there is one.

    Args:
        weight: shape [out features, in features].
        bias: shape [out features], or None.
        modules: linear layers whose weights are parts of `weight`, in this order.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, modules: Sequence[Any] = ()
    ) -> None:
        self.weight, self._bias, self._modules = weight, bias, modules
        self._num_out = len(weight)

    def append(self, num_rows: int) -> Tensor:
        """Place for so many more rows, whose products `split` computes along.

        Returns: the rows, [rows, in features].
        """
        padded = -(-num_rows // APPENDED_ROUND) * APPENDED_ROUND
        weight = self.weight.new_zeros(self._num_out + padded, self.weight.shape[1])
        weight[: self._num_out] = self.weight[: self._num_out]
        self.weight = weight
        show_parts(self._modules, weight)
        if self._bias is not None:
            bias = self._bias.new_zeros(len(weight))
            bias[: self._num_out] = self._bias[: self._num_out]
            self._bias = bias
        return weight[self._num_out : self._num_out + num_rows]

    def split(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """The outputs, and those of the rows that `append` added."""
        out = self(x)
        return out[:, : self._num_out], out[:, self._num_out :]

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

    def split(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """The outputs alone."""
        return self(x), None


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
        with lean_imports():  # unpacking would load torch's compiler, for a second
            for module, forward in dict(self._replacements(owner)).items():
                module.forward = forward
                self._replaced.append(module)

    def _uninstall(self) -> None:
        while self._replaced:
            self._replaced.pop().__dict__.pop("forward", None)

    def _replacements(self, owner: Any) -> Iterator[tuple[Any, Callable[..., Tensor]]]:
        inside: set[Any] = set()
        for layer in owner.modules():
            if has_llama_structure(layer):
                join = partial(self._join, appended=self._ops.APPENDED)
                yield layer, InferenceLayer(layer, join, self._ops).forward
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

    def _join(self, modules: Sequence[Any], *, appended: bool = False) -> AdaptedLinear:
        """One product of linear layers with the same input.

        Args:
            appended: whether the first matrices of adapters are rows of the weight, if
                it is one tensor of the same dtype.
        """
        tuned = any(hasattr(module, "lora_A") for module in modules)
        if tuned and self._names is None:
            return AdaptedLinear(ModuleProduct(modules), None)
        base = tuple(getattr(module, "base_layer", module) for module in modules)
        if base not in self._products:
            self._products[base] = self._to_product(base)
            self.version += 1
        if not tuned:
            return AdaptedLinear(self._products[base], None)
        product, names = self._products[base], self._names or []
        stack = self._stacks.get(base)
        if stack is not None and stack.fits(modules, names):
            stack.refresh()
        else:
            place = None
            if appended and isinstance(product, DenseProduct):
                place = product.append if product.weight.dtype == self._dtype else None
            stack = AdapterStack(modules, names, self._dtype, place)
            self._stacks[base] = stack
            self.version += 1
        return AdaptedLinear(product, stack)

    def _to_product(self, modules: Sequence[Any]) -> Product:
        packed = all(map(_is_packed, modules))
        plain = all(map(_is_plain, modules))
        if not (plain or packed and self._dense):
            return ModuleProduct(modules)
        parts = [unpack(module) if packed else _own(module) for module in modules]
        weights = [weight for weight, _ in parts]
        shown = modules if plain else ()
        weight = weights[0]
        if len(modules) > 1:
            weight = torch.cat(weights)
            show_parts(shown, weight)
        biases = [bias for _, bias in parts]
        if all(bias is None for bias in biases):
            return DenseProduct(weight, None, shown)
        rows = zip(weights, biases, strict=True)
        filled = [w.new_zeros(len(w)) if bias is None else bias for w, bias in rows]
        return DenseProduct(weight, torch.cat(filled), shown)


def show_parts(modules: Sequence[Any], weight: Tensor) -> None:
    """Make the modules' weights views of their rows of `weight`: no second copy."""
    first = 0
    for module in modules:
        module.weight.data = weight[first : (first := first + len(module.weight))]


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
        from graft.kernels.adapted import cuda

        return cuda
    from graft.kernels.adapted import plain

    return plain
