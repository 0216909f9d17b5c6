"""Recording one real forward and backward pass at the boundaries of decoder layers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from graft.errors import ModelError
from graft.training.batches import MicroBatch
from graft.training.losses import Forward

_FINAL_NORMS = ("norm", "ln_f", "final_layernorm", "final_layer_norm")
_OTHER_LOGITS = (
    "final_logit_softcapping",
    "logit_scale",
    "logits_scaling",
    "lm_head_multiplier",
)
"""Settings of families whose logits are not simply the output layer's product."""


@dataclass(frozen=True)
class ModelParts:
    """The parts of a causal language model that the check recomputes.

    Attributes:
        layers: the decoder layers; empty if they were not found.
        norm: after the last layer; None if it has an unknown name.
        head: the output layer; None if logits are not simply its product.
        embedding: the input embedding.
    """

    layers: Sequence[nn.Module]
    norm: nn.Module | None
    head: nn.Module | None
    embedding: nn.Module


def find_parts(model: Any) -> ModelParts:
    """Find the parts of a transformers 5 model, with or without PEFT adapters."""
    base = model.get_base_model() if hasattr(model, "peft_config") else model
    number = base.config.num_hidden_layers
    decoder = base.base_model
    for owner in decoder.modules():
        for child in owner.children():
            if isinstance(child, nn.ModuleList) and len(child) == number:
                named = dict(owner.named_children())
                norms = [named[name] for name in _FINAL_NORMS if name in named]
                plain = not any(getattr(base.config, n, None) for n in _OTHER_LOGITS)
                head = base.get_output_embeddings() if plain else None
                layers = list(child)
                return ModelParts(
                    layers,
                    norms[0] if norms else None,
                    head,
                    base.get_input_embeddings(),
                )
    return ModelParts([], None, None, base.get_input_embeddings())


@dataclass
class Recording:
    """The results of a pass through n layers. Tensors are [1, tokens, hidden], on CPU.

    Attributes:
        loss: the weighted sum of the losses.
        states: the input of each layer, and the output of the last. Length n + 1.
        gradients: of the loss with respect to `states`; None where there is none.
        arguments: the other arguments of each layer.
        of_weights: gradients of the trained weights, by name.
    """

    loss: float = 0.0
    states: list[Tensor] = field(default_factory=list)
    gradients: list[Tensor | None] = field(default_factory=list)
    arguments: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(
        default_factory=list
    )
    of_weights: dict[str, Tensor | None] = field(default_factory=dict)


def record(
    model: Any,
    parts: ModelParts,
    forward: Forward,
    batch: MicroBatch,
    weights: Mapping[str, Tensor],
) -> Recording:
    """Compute loss and gradients as a training step does, and record them.

    Args:
        weights: the trained weights by name. Their gradients are None before and after.
    """
    found = Recording()
    with _hooks(parts.layers, found):
        loss = forward(batch)
        if loss.requires_grad:
            loss.backward()
    found.loss = float(loss.detach())
    for name, weight in weights.items():
        found.of_weights[name] = None if weight.grad is None else weight.grad.detach()
        weight.grad = None
    for parameter in model.parameters():
        parameter.grad = None
    return found


@contextmanager
def _hooks(layers: Sequence[nn.Module], found: Recording) -> Iterator[None]:
    """Record each layer once, also if it is recomputed in the backward pass."""
    seen: set[int] = set()

    def keep(state: Tensor) -> None:
        number = len(found.states)
        found.states.append(state.detach().cpu())
        found.gradients.append(None)

        def keep_gradient(gradient: Tensor) -> None:
            found.gradients[number] = gradient.detach().cpu()

        if state.requires_grad:
            state.register_hook(keep_gradient)

    def enter(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if id(layer) in seen:
            return
        others = {k: v for k, v in kwargs.items() if k != "hidden_states"}
        keep(args[0] if args else kwargs["hidden_states"])
        found.arguments.append((args[1:], others))

    def leave(layer: nn.Module, given: Any, kwargs: Any, out: Any) -> None:
        del given, kwargs
        if layer is layers[-1] and id(layer) not in seen:
            keep(out[0] if isinstance(out, tuple) else out)
        seen.add(id(layer))

    handles = []
    for layer in layers:
        handles.append(layer.register_forward_pre_hook(enter, with_kwargs=True))
        handles.append(layer.register_forward_hook(leave, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def products_dtype(model: Any, dtype: torch.dtype) -> torch.dtype:
    """The least precise dtype in a pass: of matrix products or of stored weights."""
    stored = {w.dtype for w in model.parameters() if w.is_floating_point()}
    coarse = [d for d in (dtype, *sorted(stored, key=str)) if d.itemsize < 4]
    return coarse[0] if coarse else dtype


def check_weight_layout(model: Any, where: str) -> None:
    """Raises: ModelError if a 4-bit weight was repacked for CPU inference."""
    for name, weight in model.named_parameters():
        state = getattr(weight, "quant_state", None)
        if getattr(state, "packing_format_for_cpu", False):
            raise ModelError(
                where,
                f"{name.removesuffix('.weight')} is in bitsandbytes' layout for "
                "inference, through which no gradient flows",
                expected="4-bit weights as they were loaded",
                fix="this is a bug in graft: please report it with the processor and "
                "the version of bitsandbytes",
            )


def check_repeatable(forward: Forward, batch: MicroBatch, where: str) -> None:
    """Raises: ModelError if the loss of a validation pass depends on random numbers."""
    losses = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        with torch.no_grad():
            losses.append(float(forward(batch)))
    if abs(losses[0] - losses[1]) > 1e-6 * abs(losses[0]):
        raise ModelError(
            where,
            f"two validation passes differ: losses {losses[0]} and {losses[1]}",
            expected="no dropout in validation",
            fix="set the dropout of the base's config.json to 0, and that of adapter",
        )


@contextmanager
def random_adapters(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Temporarily set each adapter's B to random values. B is zero before the first
    step, and so are the gradient of A and the adapter's contribution."""
    chosen = {name: w for name, w in weights.items() if ".lora_B." in name}
    before = {name: weight.detach().clone() for name, weight in chosen.items()}
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in chosen.values():
            drawn = torch.randn(weight.shape, generator=generator)
            weight.copy_(drawn * _SPREAD / weight.shape[1] ** 0.5)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, weight in chosen.items():
                weight.copy_(before[name])


_SPREAD = 0.1
"""Standard deviation of B times the root of the rank."""
