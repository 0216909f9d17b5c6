"""Whether the first steps train what is to be trained, and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from graft.errors import ModelError

_STEPS = 2
"""After so many every weight has had a gradient: A of an adapter has none in the first
one, where B is zero."""
_BYTES, _FACTOR = 2**24, 0x9E3779B1
"""At a time; and an odd number with which places are told apart."""


class FirstSteps:
    """Watches the weights of a model through the first optimizer steps.

    Args:
        model: with frozen and trained weights.
        weights: those that the optimizer has, by name.
        expected: the names of those that are to be trained.
        optimizer: of torch or bitsandbytes.
        idle: names that had no gradient on the examples of the gradient check either.
    Raises: ModelError if the optimizer has other weights than those expected.
    """

    def __init__(
        self,
        model: Any,
        weights: Mapping[str, Tensor],
        expected: frozenset[str],
        optimizer: Any,
        idle: frozenset[str] = frozenset(),
    ) -> None:
        self._model, self._weights, self._idle = model, weights, idle
        held = {id(w) for group in optimizer.param_groups for w in group["params"]}
        given = {name for name, weight in weights.items() if id(weight) in held}
        if lost := sorted(expected - given):
            raise _wrong(f"{_some(lost)} would not be trained: frozen, or unknown to "
                         "the optimizer")  # fmt: skip
        if extra := sorted(given - expected):
            raise _wrong(f"{_some(extra)} would be trained, and should be frozen")
        self._steps = 0
        self._moved: set[str] = set()
        self._frozen = {name: _digest(w) for name, w in _frozen(model)}
        self._before = {name: _digest(weight) for name, weight in weights.items()}

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be watched."""
        return self._steps >= _STEPS

    def before_update(self) -> None:
        """Note which weights have a gradient. Call it before the optimizer's step."""
        for name, weight in self._weights.items():
            if weight.grad is not None and bool(weight.grad.any()):
                self._moved.add(name)

    def after_update(self) -> None:
        """Compare the weights with what they were.

        Raises: ModelError if a frozen weight has changed, a weight with a gradient has
            not, or a weight has had no gradient in two steps.
        """
        self._steps += 1
        if self._steps == 1:
            changed = [
                n for n, w in _frozen(self._model) if _digest(w) != self._frozen[n]
            ]
            if changed:
                raise _wrong(f"the first step changed {_some(changed)}, frozen weights")
            self._frozen = {}
        same = {n for n, w in self._weights.items() if _digest(w) == self._before[n]}
        if stuck := sorted(same & self._moved):
            raise _wrong(
                f"the optimizer left {_some(stuck)} as before, though there was a "
                "gradient: the learning rate is too small, or the update is lost"
            )
        unreached = self._weights.keys() - self._moved - self._idle
        if self.is_over and unreached:
            raise _wrong(f"no gradient reached {_some(sorted(unreached))} in two steps")


def _frozen(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Frozen weights by name; of 4-bit ones also their scales."""
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            continue
        sharded = getattr(weight, "sharded", None)
        yield name, weight.data if sharded is None else sharded.part
        state = getattr(weight, "quant_state", None)
        if state is not None:
            yield f"{name} (scales)", state.absmax


def _digest(weight: Tensor) -> int:
    """Of a weight's bytes and their places, computed where they are: torch's own
    `hash_tensor` is blind to a change that many equal elements share."""
    total = 0
    for part in weight.detach().flatten().view(torch.uint8).split(_BYTES):
        places = torch.arange(len(part), device=part.device) * _FACTOR + 1
        total = (total * _FACTOR + int((part * places).sum())) % 2**64
    return total


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + f" and {len(names) - 3} more" * (len(names) > 3)


def _wrong(problem: str) -> ModelError:
    return ModelError(
        "the first steps of training",
        problem,
        expected="each step changes the trained weights and nothing else",
        fix="raise train.learning_rate if it is very small; otherwise this is a fault: "
        "please report it with your params and the versions of torch and peft",
    )
