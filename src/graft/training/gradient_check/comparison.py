"""Comparing a recorded pass with the reference, layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graft.training.gradient_check.difference import (
    TOLERANCE,
    Difference,
    Kind,
    compare,
    is_within,
    wrong_gradient,
)
from graft.training.gradient_check.examples import Examples
from graft.training.gradient_check.recording import ModelParts, Recording
from graft.training.gradient_check.reference import (
    layer_call,
    loss_of,
    plain_config,
    plain_copy,
    to_reference_batches,
)

_OUTPUT, _INPUT = "output", "input"


@dataclass(frozen=True)
class ComparisonResult:
    """The result of a comparison that found no wrong gradient.

    Attributes:
        worst: the largest relative error among them.
        idle: weights whose reference gradient is zero on these examples.
    """

    worst: float
    idle: frozenset[str]


class GradientComparison:
    """Compares a recording with the reference. Arguments as in `check_gradients`."""

    def __init__(
        self,
        model: Any,
        parts: ModelParts,
        examples: Examples,
        recording: Recording,
        names: Mapping[int, str],
        dtype: torch.dtype,
        where: str,
    ) -> None:
        self._parts, self._examples, self._recording = parts, examples, recording
        self._names, self._dtype, self._where = names, dtype, where
        self._device = model.device
        base = model.get_base_model() if hasattr(model, "peft_config") else model
        self._config = plain_config(base.config)
        self._seen: list[Difference] = []
        self._outer: dict[str, Tensor] = {}  # gradients of weights outside the layers

    def run(self) -> ComparisonResult:
        """Compare the loss, then each layer from the last to the first."""
        if self._parts.norm is not None and self._parts.head is not None:
            self._check_loss()
        for number in reversed(range(len(self._parts.layers))):
            self._check_layer(number)
        self._check_embedding()
        compared = {found.name for found in self._seen}
        for name, gradient in self._recording.of_weights.items():
            if name not in compared and not _is_some(gradient):
                some = torch.ones(1)
                raise wrong_gradient(self._where, compare(name, None, some), 0.0)
        worst = max((found.error for found in self._seen), default=float("nan"))
        idle = {found.name for found in self._seen if not found.expected_norm}
        return ComparisonResult(worst, frozenset(idle))

    def _check_loss(self) -> None:
        parts, examples = self._parts, self._examples
        assert parts.norm is not None and parts.head is not None
        norm = plain_copy(parts.norm, self._config)
        last = self._recording.states[-1].to(self._device, torch.float32)
        last.requires_grad_(True)
        trained = self._trained_of([parts.norm, parts.head])
        loss = loss_of(
            last[0, examples.predicts.to(self._device)],
            norm,
            parts.head,
            examples.targets.to(self._device),
            examples.weights.to(self._device),
        )
        found = torch.tensor(self._recording.loss)
        self._hold("the loss", found, loss.detach().cpu(), kind="value")
        gradients = torch.autograd.grad(loss, [last, *trained.values()])
        self._hold(
            "the last layer's output", self._recording.gradients[-1], gradients[0]
        )
        self._outer = dict(zip(trained, gradients[1:]))

    def _check_layer(self, number: int) -> None:
        if self._recording.gradients[number + 1] is None:
            if self._trained_of(self._parts.layers[: number + 1]):
                name = f"layer {number}'s output"
                some = torch.ones(1)
                raise wrong_gradient(self._where, compare(name, None, some), 0.0)
            return
        expected = self._layer_gradients(number, torch.float32)
        rounded: dict[str, Tensor] | None = None
        for name, right in expected.items():
            found, place = self._recording.of_weights.get(name), name
            if name in (_OUTPUT, _INPUT):
                found = self._recording.gradients[number]
                place = f"layer {number}'s {name}"
            kind: Kind = "gradient"
            if name == _OUTPUT:
                found, kind = self._recording.states[number + 1], "value"
            if not is_within(compare(place, found, right), TOLERANCE[self._dtype]):
                rounded = rounded or self._layer_gradients(number, self._dtype)
            self._hold(place, found, right, rounded and rounded[name], kind)

    def _layer_gradients(self, number: int, dtype: torch.dtype) -> dict[str, Tensor]:
        """The reference output of a layer, and gradients of its input and trained
        weights, with matrix products in `dtype`."""
        layer, recording = self._parts.layers[number], self._recording
        plain = plain_copy(layer, self._config)
        state = recording.states[number].to(self._device, torch.float32)
        gradient = recording.gradients[number + 1]
        assert gradient is not None
        gradient = gradient.to(self._device, torch.float32)
        trained, tokens = self._trained_of([layer]), state.shape[1]
        wants_input = recording.gradients[number] is not None or self._flows(number)
        output, to_input = torch.zeros_like(state), torch.zeros_like(state)
        sums = {name: torch.zeros_like(w) for name, w in trained.items()}
        for batch in to_reference_batches(self._examples.lengths):
            rows = batch.gather.to(self._device)
            real = batch.real.to(self._device)
            given = state[0][rows].requires_grad_(wants_input)
            with torch.autocast(
                self._device.type, dtype, enabled=dtype != torch.float32
            ):
                out = layer_call(
                    plain,
                    given,
                    recording.arguments[number],
                    batch,
                    tokens,
                    self._window(layer),
                ).float()
            back = gradient[0][rows] * real[..., None]
            sources = [*trained.values(), *([given] if wants_input else [])]
            found = torch.autograd.grad(out, sources, back, allow_unused=True)
            output[0, rows[real]] = out.detach()[real]
            for total, one in zip(sums.values(), found):
                if one is not None:
                    total += one
            if wants_input and found[-1] is not None:
                to_input[0, rows[real]] = found[-1][real]
        inputs = {_INPUT: to_input} if wants_input else {}
        return {_OUTPUT: output, **inputs, **sums}

    def _check_embedding(self) -> None:
        """Compare the embedding's gradient, if it alone makes the first layer's input.
        A tied output layer adds to the gradient."""
        embedding, first = self._parts.embedding, self._recording.gradients[:1]
        trained = self._trained_of([embedding])
        for name, right in self._outer.items():
            if name not in trained:
                self._hold(name, self._recording.of_weights[name], right)
        ids = self._examples.tokens.to(self._device)
        if not trained or not first or first[0] is None:
            return
        (name, weight), *others = trained.items()
        state = self._recording.states[0].to(self._device, torch.float32)
        if others or not torch.allclose(weight[ids].float(), state[0], rtol=1e-2):
            return
        right = torch.zeros_like(weight, dtype=torch.float32)
        right.index_add_(0, ids, first[0][0].to(self._device, torch.float32))
        if name in self._outer:
            right += self._outer[name]
        self._hold(name, self._recording.of_weights[name], right)

    def _hold(
        self,
        name: str,
        found: Tensor | None,
        right: Tensor,
        rounded: Tensor | None = None,
        kind: Kind = "gradient",
    ) -> None:
        """Compare, and raise if it differs. `rounded`: the reference in the dtype of
        the matrix products."""
        difference, tolerance = (
            compare(name, found, right, kind),
            TOLERANCE[self._dtype],
        )
        noise = 0.0 if rounded is None else compare(name, rounded, right).error
        if not is_within(difference, tolerance, noise):
            raise wrong_gradient(self._where, difference, tolerance)
        self._seen.append(difference)

    def _flows(self, number: int) -> bool:
        """Whether anything before a layer is trained."""
        before = [*self._parts.layers[:number], self._parts.embedding]
        return bool(self._trained_of(before))

    def _trained_of(self, modules: Sequence[torch.nn.Module]) -> dict[str, Tensor]:
        return {
            self._names[id(weight)]: weight
            for module in modules
            for weight in module.parameters()
            if id(weight) in self._names
        }

    def _window(self, layer: Any) -> int | None:
        attention = getattr(layer, "self_attn", layer)
        of_model = getattr(self._config, "sliding_window", None)
        found: int | None = getattr(attention, "sliding_window", of_model)
        return found


def _is_some(gradient: Tensor | None) -> bool:
    """Whether a gradient exists, is finite, and is not zero."""
    if gradient is None:
        return False
    total = float(gradient.abs().sum())
    return 0 < total < float("inf")
