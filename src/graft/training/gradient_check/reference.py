"""The reference: decoder layers and loss with dense float32 weights, one document per
row, and torch's attention.

It shares the code of transformers' layer classes with the checked computation, but no
module objects, hooks, kernels, packed layout or backward pass.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from graft.training.fused.frozen import gathered_bytes

_TOKENS = 2048
"""Tokens of a batch of documents, including padding."""
_ROWS = 512
"""Rows of logits computed at a time."""


@dataclass(frozen=True)
class ReferenceBatch:
    """Indices that pad some documents of a packed row to a batch.

    Attributes:
        gather: position in the packed row of each token; padding repeats the last
            token. Shape [documents, longest].
        real: whether it is a token, not padding. Shape [documents, longest].
    """

    gather: Tensor
    real: Tensor


def to_reference_batches(
    lengths: Sequence[int], most: int = _TOKENS
) -> list[ReferenceBatch]:
    """Batches of the documents of a packed row, sorted by length, of at most `most`
    tokens or one document."""
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    batches, waiting = [], sorted(range(len(lengths)), key=lengths.__getitem__)
    while waiting:
        longest = lengths[waiting[-1]]
        members = waiting[-max(1, most // longest) :]
        waiting = waiting[: -len(members)]
        offsets = torch.arange(longest)
        own = torch.tensor([lengths[i] for i in members])[:, None]
        first = torch.tensor([starts[i] for i in members])[:, None]
        batches.append(ReferenceBatch(first + offsets.minimum(own - 1), offsets < own))
    return batches


class DenseLinear(nn.Module):  # type: ignore[misc]
    """A linear layer and its adapter, by the formulas of the papers.

    Sources: Hu et al. 2021, arXiv:2106.09685 (LoRA); Liu et al. 2024, arXiv:2402.09353
    (DoRA; the norm carries no gradient, section 4.3).

    Args:
        linear: `nn.Linear`, transformers' `Conv1D`, bitsandbytes' `Linear4bit`, or one
            of them with an adapter of PEFT 0.21.
    """

    def __init__(self, linear: Any) -> None:
        super().__init__()
        self._linear = [linear]  # a list, so that its weights are not this module's

    def forward(self, x: Tensor) -> Tensor:
        """Shape [..., in] → [..., out]. Only x is saved for the backward pass."""
        out: Tensor = checkpoint(
            self._compute, x, use_reentrant=False, preserve_rng_state=False
        )
        return out

    def _compute(self, x: Tensor) -> Tensor:
        (linear,) = self._linear
        base = getattr(linear, "base_layer", linear)
        dense, bias = dense_weight(base).float(), base.bias
        out = functional.linear(x, dense)
        if hasattr(linear, "lora_A"):
            down, up = (
                part["default"].weight for part in (linear.lora_A, linear.lora_B)
            )
            scale = linear.scaling["default"]
            out = out + functional.linear(functional.linear(x, down), up) * scale
            if linear.use_dora.get("default"):
                with torch.no_grad():
                    norm = (dense + up @ down * scale).norm(dim=1)
                magnitude = linear.lora_magnitude_vector["default"].weight
                out = out * (magnitude / norm)
        return out if bias is None else out + bias.float()


def dense_weight(linear: Any) -> Tensor:
    """The weight as a dense matrix. Shape [out features, in features]."""
    weight = linear.weight
    if (state := getattr(weight, "quant_state", None)) is not None:
        from bitsandbytes.functional import dequantize_4bit

        found: Tensor = dequantize_4bit(gathered_bytes(weight).view(-1, 1), state)
        return found.view(linear.out_features, linear.in_features)
    matrix: Tensor = weight.T if type(linear).__name__ == "Conv1D" else weight
    return matrix


def plain_copy(module: nn.Module, config: Any) -> nn.Module:
    """A copy of a transformers module without later changes: hooks, a replaced
    `forward`, 4-bit weights, adapter modules. It shares trained weights, so that
    gradients can be computed with respect to them."""
    base = getattr(module, "base_layer", module)
    if isinstance(base, nn.Linear) or type(base).__name__ == "Conv1D":
        return DenseLinear(module)
    fresh = module.__class__.__new__(module.__class__)
    nn.Module.__init__(fresh)
    internals = set(fresh.__dict__) | {"forward"}
    own = {k: v for k, v in module.__dict__.items() if k not in internals}
    fresh.__dict__.update(own | ({"config": config} if "config" in own else {}))
    fresh.__dict__["gradient_checkpointing"] = False
    # pylint: disable=protected-access  # torch has no public way to share weights
    for name, weight in module._parameters.items():
        fresh._parameters[name] = weight if weight is None else weight.float()
    fresh._buffers.update(module._buffers)
    for name, child in module.named_children():
        fresh._modules[name] = plain_copy(child, config)
    return fresh.eval()


def plain_config(config: Any) -> Any:
    """A copy of the configuration, with torch's attention."""
    changed = copy.copy(config)
    changed._attn_implementation = "sdpa"  # pylint: disable=protected-access
    return changed


def layer_call(
    layer: nn.Module,
    state: Tensor,
    arguments: tuple[tuple[Any, ...], dict[str, Any]],
    batch: ReferenceBatch,
    tokens: int,
    window: int | None,
) -> Tensor:
    """A layer's output for some documents. Shape [documents, longest, hidden].

    Args:
        layer: returned by `plain_copy`.
        state: its input, padded. [documents, longest, hidden].
        arguments: its other arguments in the packed pass.
        tokens: of the packed row.
        window: tokens that a token attends to, including itself; None: all before it.
    """
    args, kwargs = arguments
    rows = batch.gather.to(state.device)
    given = {k: _as_rows(v, rows, tokens) for k, v in kwargs.items()}
    given.pop("documents", None)
    longest = state.shape[1]
    if window is not None and window < longest:
        ages = torch.arange(longest, device=state.device)
        ages = ages[:, None] - ages
        given["attention_mask"] = ((ages >= 0) & (ages < window))[None, None]
    out = type(layer).forward(
        layer, state, *(_as_rows(a, rows, tokens) for a in args), **given
    )
    return out[0] if isinstance(out, tuple) else out


def _as_rows(value: Any, rows: Tensor, tokens: int) -> Any:
    """A value per token of the packed row, padded like the documents."""
    if isinstance(value, tuple):
        return tuple(_as_rows(one, rows, tokens) for one in value)
    if isinstance(value, Tensor) and value.shape[:2] == (1, tokens):
        return value[0][rows]
    return value


def loss_of(
    states: Tensor, norm: nn.Module, head: Any, targets: Tensor, weights: Tensor
) -> Tensor:
    """Weighted sum of negative log-likelihoods, in nats, some hundred tokens at a time.

    Args:
        states: outputs of the last layer that predict a token. [tokens, hidden].
        norm: returned by `plain_copy`.
        head: the output layer.
        targets, weights: [tokens].
    """

    def some(part: slice) -> Tensor:
        normed = norm.forward(states[part]).to(head.weight.dtype)
        logits = functional.linear(normed, head.weight, head.bias).float()
        losses = functional.cross_entropy(logits, targets[part], reduction="none")
        return losses @ weights[part]

    spans = [slice(at, at + _ROWS) for at in range(0, len(states), _ROWS)]
    total = states.new_zeros(())
    for span in spans:
        total = total + checkpoint(
            some, span, use_reentrant=False, preserve_rng_state=False
        )
    return total
