"""Check that the first steps update the trained weights and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from graft.errors import ModelError

_STEPS = 2
"""Steps until each weight has had a gradient: LoRA's A has none in the first, in which
B is zero."""
_BYTES, _FACTOR = 2**24, 0x9E3779B1
"""Bytes hashed at a time; and an odd number that weights positions differently."""


class FirstSteps:
    """Compares a model's weights before and after the first optimizer steps.

    Args:
        model: with frozen and trained weights.
        weights: all weights that require a gradient, by name.
        expected: the names of those that are to be trained.
        optimizer: of torch or bitsandbytes.
        idle: names whose gradient was rightly zero in the gradient check.
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
            raise _wrong(f"{_some(lost)} would not be trained: frozen, or not in the "
                         "optimizer")  # fmt: skip
        if extra := sorted(given - expected):
            raise _wrong(f"{_some(extra)} would be trained, and should be frozen")
        self._steps = 0
        self._moved: set[str] = set()
        self._frozen = {name: _digest(w) for name, w in _frozen(model)}
        self._before = {name: _digest(weight) for name, weight in weights.items()}

    @property
    def is_over(self) -> bool:
        """Whether all checks are done."""
        return self._steps >= _STEPS

    def before_update(self) -> None:
        """Record which weights have a gradient. Call it before the optimizer's step."""
        for name, weight in self._weights.items():
            if weight.grad is not None and bool(weight.grad.any()):
                self._moved.add(name)

    def after_update(self) -> None:
        """Compare the weights with those before training.

        Raises: ModelError if a frozen weight has changed, a weight with a gradient has
            not, or a weight had no gradient in two steps.
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
                f"the optimizer left {_some(stuck)} unchanged, although there was a "
                "gradient: the learning rate is too small, or the update is lost"
            )
        unreached = self._weights.keys() - self._moved - self._idle
        if self.is_over and unreached:
            raise _wrong(f"no gradient reached {_some(sorted(unreached))} in two steps")


def _frozen(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Frozen weights by name; for 4-bit ones also their scales."""
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            continue
        sharded = getattr(weight, "sharded", None)
        yield name, weight.data if sharded is None else sharded.part
        state = getattr(weight, "quant_state", None)
        if state is not None:
            yield f"{name} (scales)", state.absmax


def _digest(weight: Tensor) -> int:
    """A hash of a weight's bytes and their positions, computed on its device. torch's
    `hash_tensor` misses changes that many equal elements share."""
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
        fix="raise train.learning_rate if it is very small; otherwise this is a bug in "
        "graft: please report it with your params and the versions of torch and peft",
    )
