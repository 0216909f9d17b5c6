"""LoRA adapters that each token switches on or off.

The adapters of a layer lie side by side: one product with all A, one with all B.
Between the two, what belongs to adapters that a token does not use is set to zero. So
rows of the base and of several adapters share every pass over the weights of the base.
An adapter is never merged.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from graft.errors import RequestError
from graft.kernels.adapted.low_rank import LowRank


class AdapterSwitch:
    """Which adapter each token of a step uses.

    Args:
        used: the number of each token's adapter; 0 is none. Shape [tokens].
        common: the number that all tokens have; None: they differ.
    """

    def __init__(self, used: Tensor, common: int | None) -> None:
        self.used, self.common = used, common
        self._off: dict[tuple[int, ...], Tensor] = {}

    def off(self, ranks: tuple[int, ...], owners: Tensor) -> Tensor:
        """Where a token does not use a rank. Shape [tokens, ranks].

        Args:
            ranks: of each adapter; layers that agree in them share the result.
            owners: the number of the adapter of each rank. Shape [ranks].
        """
        if ranks not in self._off:
            self._off[ranks] = self.used[:, None] != owners
        return self._off[ranks]


SWITCH: ContextVar[AdapterSwitch] = ContextVar("switch")
"""Of the step that this thread computes."""


class AdapterStack:
    """All adapters of linear layers with the same input.

    Args:
        modules: PEFT's LoRA layers, or linear layers without adapters.
        names: of the adapters; the first has number 1.
        dtype: of the products.
        place: a number of rows → where the first matrices lie, [rows, in features], so
            that the product of the layers computes theirs along; None: on their own.
    """

    def __init__(
        self,
        modules: Sequence[Any],
        names: Sequence[str],
        dtype: torch.dtype,
        place: Callable[[int], Tensor] | None = None,
    ) -> None:
        sizes = [module.out_features for module in modules]
        device = modules[0].weight.device
        places = [
            (number, sum(sizes[:index]), module, name)
            for number, name in enumerate(names)
            for index, module in enumerate(modules)
            if name in getattr(module, "lora_A", {})
        ]
        ranks = [0] * len(names)
        for number, _, module, name in places:
            ranks[number] += module.lora_A[name].weight.shape[0]
        self._ranks = tuple(ranks)
        owners = [number + 1 for number, rank in enumerate(ranks) for _ in range(rank)]
        self._owners = torch.tensor(owners, device=device)
        options = {"dtype": dtype, "device": device}
        self._is_computed = place is not None
        if place is None:
            self._down = torch.zeros(sum(ranks), modules[0].in_features, **options)
        else:
            self._down = place(sum(ranks))
        # Zeros outside of each module's own outputs: one product adds all.
        self._up = torch.zeros(sum(ranks), sum(sizes), **options)
        self._parts: list[tuple[Any, str, Tensor, Tensor]] = []
        row = 0
        for _, start, module, name in places:
            rows = slice(row, row := row + module.lora_A[name].weight.shape[0])
            up = self._up[rows, start : start + module.out_features]
            self._parts.append((module, name, self._down[rows], up))
        self.refresh()

    def fits(self, modules: Sequence[Any], names: Sequence[str]) -> bool:
        """Whether it has the adapters of these modules, with these ranks."""
        kept = [(id(module), name, len(down)) for module, name, down, _ in self._parts]
        present = [
            (id(module), name, module.lora_A[name].weight.shape[0])
            for name in names
            for module in modules
            if name in getattr(module, "lora_A", {})
        ]
        return kept == present and len(self._ranks) == len(names)

    def refresh(self) -> None:
        """Copy the adapters' present weights; no address changes."""
        for module, name, down, up in self._parts:
            down.copy_(module.lora_A[name].weight.detach())
            up.copy_((module.lora_B[name].weight.detach() * module.scaling[name]).T)

    def added(self, x: Tensor, computed: Tensor | None) -> LowRank | None:
        """What each token's adapter adds to the outputs; None: nothing.

        Args:
            x: shape [tokens, in features].
            computed: the products with the rows at `place`, [tokens, at least ranks].
        """
        switch = SWITCH.get()
        if not self._parts or switch.common == 0:
            return None
        own, off = slice(0, sum(self._ranks)), None
        if switch.common is None:
            off = switch.off(self._ranks, self._owners)
        else:
            first = sum(self._ranks[: switch.common - 1])
            own = slice(first, first + self._ranks[switch.common - 1])
        if self._is_computed and computed is not None:
            inner = computed[:, own]
        else:
            inner = functional.linear(x, self._down[own])
        return LowRank(inner, self._up[own], off)


class Product(Protocol):
    """The product of linear layers with the same input, without adapters."""

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """[tokens, in features] → [tokens, out features], added to `residual`."""

    def split(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """The outputs, and the products with rows that were appended, if any were."""


class AdaptedLinear:
    """Linear layers with the same input, as one product, and their adapters.

    Args:
        product: of the base.
        stack: the adapters; None: they are part of `product`, or there are none.
    """

    def __init__(self, product: Product, stack: AdapterStack | None) -> None:
        self._product, self._stack = product, stack

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """[tokens, in features] → [tokens, out features], added to `residual`."""
        out = self._product(x, residual)
        added = None if self._stack is None else self._stack.added(x, None)
        return out if added is None else added.add_(out)

    def split(self, x: Tensor) -> tuple[Tensor, LowRank | None]:
        """The outputs of the base, and what the adapters add to them."""
        out, computed = self._product.split(x)
        return out, None if self._stack is None else self._stack.added(x, computed)

    def forward(self, x: Tensor) -> Tensor:
        """[rows, tokens, in features] → [rows, tokens, out features]."""
        return self(x.flatten(0, -2)).unflatten(0, x.shape[:-1])


def switchable_adapters(owner: Any) -> list[str] | None:
    """Names of the adapters of transformers' model, if tokens can switch them.

    None if a layer has more than B A x: DoRA, biases, merged weights, embeddings,
    trained copies of modules, or another method of PEFT.
    """
    names: dict[str, None] = {}
    for module in tuned_modules(owner):
        own = list(getattr(module, "lora_A", {}))
        simple = (
            hasattr(module, "lora_A")
            and not module.merged
            and not getattr(module, "lora_variant", {})
            and not getattr(module, "lora_embedding_A", {})
            and not getattr(module, "fan_in_fan_out", False)
            and all(isinstance(module.lora_A[n], torch.nn.Linear) for n in own)
            and all(module.lora_B[n].bias is None for n in own)
        )
        if not simple:
            return None
        names |= dict.fromkeys(own)
    return list(names)


def number_adapters(owner: Any) -> dict[str | None, int]:
    """Numbers of the adapters of transformers' model that rows may use; 0 for the base.

    Where rows cannot switch them, all must use those that PEFT has switched on.
    """
    names = switchable_adapters(owner)
    if names is None:
        return {active_adapter(owner): 0}
    return {None: 0} | {name: number for number, name in enumerate(names, start=1)}


def check_adapters(
    adapters: Iterable[str | None], known: Collection[str | None]
) -> None:
    """Raises: RequestError if a row is to use an adapter that is not known."""
    if unknown := {str(adapter) for adapter in adapters if adapter not in known}:
        raise RequestError(
            f"adapter {', '.join(sorted(unknown))}",
            "rows of this model cannot use it",
            expected=f"one of {', '.join(map(str, known))} (None: the base alone)",
            fix="load it first, or name another",
        )


def active_adapter(model: Any) -> str | None:
    """The adapter that PEFT has switched on; None if there is none."""
    for module in tuned_modules(model):
        on = [] if module.disable_adapters else module.active_adapters
        return "+".join(on) or None
    return None


def tuned_modules(model: Any) -> Iterator[Any]:
    """PEFT's layers. A transformers model has methods of the same names."""
    for module in model.modules():
        if isinstance(getattr(module, "disable_adapters", None), bool):
            yield module
