"""Attention within documents, with separate forward and backward functions.

On CUDA, torch's variable-length flash attention is called below autograd, because it
then accepts strided heads and supports grouped-query attention without copies.
Source: Dao 2023, arXiv:2307.08691 (FlashAttention-2), as in torch 2.11 to 2.13.
"""

# pylint: disable=protected-access  # the public function copies the key heads

from dataclasses import dataclass

import torch
from torch import Tensor

from graft.training.attention import Documents, packed_attention


@dataclass(frozen=True)
class AttentionOutput:
    """The output, and what the backward pass needs.

    Attributes:
        out: shape [tokens, heads, head size].
        states: queries, keys, values. Shapes [tokens, heads, head size].
        rest: the kernel's log-sum-exp, and two values that only dropout uses.
    """

    out: Tensor
    states: tuple[Tensor, Tensor, Tensor]
    rest: tuple[Tensor, ...] = ()


def attend(
    states: tuple[Tensor, Tensor, Tensor],
    documents: Documents,
    scale: float,
    window: int | None,
) -> AttentionOutput:
    """Causal attention.

    Args:
        states: queries, keys, values. Shapes [tokens, heads, head size].
        documents: their boundaries.
        scale: of the products of queries and keys.
        window: tokens that a token attends to, including itself; None: all before it.
    """
    if documents.rows:
        q, k, v = (part.detach().requires_grad_() for part in states)
        with torch.enable_grad():
            heads = [part.transpose(0, 1)[None] for part in (q, k, v)]
            out, _ = packed_attention(
                None,
                heads[0],
                heads[1],
                heads[2],
                None,
                documents=documents,
                scaling=scale,
                sliding_window=window,
            )
            return AttentionOutput(out[0], (q, k, v))
    out, *rest = torch.ops.aten._flash_attention_forward(
        *states,
        documents.starts,
        documents.starts,
        documents.longest,
        documents.longest,
        0.0,
        True,
        False,
        scale=scale,
        **_within(window, documents),
    )
    return AttentionOutput(out, states, tuple(rest[:3]))


def attend_backward(
    grad: Tensor,
    attended: AttentionOutput,
    documents: Documents,
    scale: float,
    window: int | None,
) -> tuple[Tensor, ...]:
    """Gradients of queries, keys and values, given `grad` of `attended.out`."""
    if documents.rows:
        found: tuple[Tensor, ...] = torch.autograd.grad(
            attended.out, attended.states, grad
        )
        return found
    log_sums, *unused = attended.rest
    found = torch.ops.aten._flash_attention_backward(
        grad,
        *attended.states,
        attended.out,
        log_sums,
        documents.starts,
        documents.starts,
        documents.longest,
        documents.longest,
        0.0,
        True,
        *unused,
        scale=scale,
        **_within(window, documents),
    )
    return found


def _within(window: int | None, documents: Documents) -> dict[str, int]:
    if window is None or window >= documents.longest:
        return {}
    return {"window_size_left": window - 1, "window_size_right": 0}
