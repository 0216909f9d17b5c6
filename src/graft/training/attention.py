"""Attention over packed documents, none of which attends to another.

A packed row is [1, tokens] without padding; `Documents` holds the boundaries. No
[tokens, tokens] mask is built. CUDA uses torch's variable-length flash attention. On a
CPU, documents of similar length are padded to batches; causal attention keeps tokens
from attending to the padding, which is on the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from packaging.version import Version
from torch import Tensor
from torch.nn import functional

PACKED = "graft_packed"
"""The name of this attention in transformers' registry."""
_GROUPED = Version(torch.__version__) >= Version("2.13")
"""Whether torch's variable-length attention supports grouped-query attention."""


@dataclass(frozen=True)
class Rows:
    """Indices that pad documents of similar length to one batch, and unpad it.

    Args:
        gather: position in the packed row of each token; 0 for padding.
            Shape [documents, longest].
        keep: positions in the flattened batch that are not padding. Shape [tokens].
        scatter: position in the packed row of each of those. Shape [tokens].
    """

    gather: Tensor
    keep: Tensor
    scatter: Tensor


@dataclass(frozen=True)
class Documents:
    """The boundaries of the documents in a packed row.

    Args:
        starts: int32, cumulative lengths with a leading 0. Shape [documents + 1].
        longest: tokens of the longest document.
        rows: padded batches, for a device without variable-length attention; else
            empty.
    """

    starts: Tensor
    longest: int
    rows: tuple[Rows, ...]


def lay_out(lengths: Sequence[int], device: str) -> Documents:
    """The boundaries of documents of these lengths, in tokens."""
    ends = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    rows: tuple[Rows, ...] = ()
    if device == "cpu":
        classes: dict[int, list[int]] = {}
        for document, length in enumerate(lengths):
            # Within a class, lengths differ by less than a factor of two.
            classes.setdefault(length.bit_length(), []).append(document)
        starts = ends.tolist()
        rows = tuple(
            _rows([starts[i] for i in members], [lengths[i] for i in members])
            for members in classes.values()
        )
    return Documents(ends.to(device), max(lengths), rows)


def _rows(starts: list[int], lengths: list[int]) -> Rows:
    offsets = torch.arange(max(lengths))  # [longest]
    real = offsets < torch.tensor(lengths)[:, None]  # [documents, longest]
    gather = torch.where(real, torch.tensor(starts)[:, None] + offsets, 0)
    keep = real.flatten().nonzero().squeeze(1)
    return Rows(gather, keep, gather.flatten()[keep])


def packed_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    documents: Documents,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each document.

    Args:
        query: [1, heads, tokens, head size].
        key, value: [1, key heads, tokens, head size].
        documents: boundaries of the documents.
        sliding_window: tokens that a token attends to, including itself; None: all
            before it.
        softcap, s_aux: soft-capping of scores (Gemma 2), attention sinks (gpt-oss).
    Returns: [1, tokens, heads, head size], and None for the attention weights.
    Raises: ValueError for a mask, dropout, soft-capping or sinks, and on a CPU for a
        window shorter than a document: ignoring them would give wrong results.
    """
    del module
    if attention_mask is not None or dropout:
        raise ValueError("packed attention supports no mask and no attention dropout")
    if softcap is not None or s_aux is not None:
        raise ValueError("packed attention supports no soft-capping and no sinks")
    # Float32 embeddings give float32 rotary angles, and so float32 queries and keys.
    query, key = query.to(value.dtype), key.to(value.dtype)
    if sliding_window is not None and sliding_window >= documents.longest:
        sliding_window = None
    if documents.rows:
        if sliding_window is not None:
            raise ValueError(
                f"a sliding window of {sliding_window} tokens is not supported on a CPU"
            )
        return _by_rows(query, key, value, documents.rows, scaling), None
    from torch.nn.attention.varlen import varlen_attn

    shared = query.shape[1] // key.shape[1]  # query heads per key head
    grouped = {"enable_gqa": True} if _GROUPED and shared > 1 else {}
    if shared > 1 and not grouped:
        key, value = (s.repeat_interleave(shared, dim=1) for s in (key, value))
    out = varlen_attn(
        *(states[0].transpose(0, 1) for states in (query, key, value)),
        documents.starts,
        documents.starts,
        documents.longest,
        documents.longest,
        scale=scaling,
        window_size=(-1 if sliding_window is None else sliding_window - 1, 0),
        **grouped,
    )
    return out[None], None


def _by_rows(
    query: Tensor, key: Tensor, value: Tensor, rows: Sequence[Rows], scale: float | None
) -> Tensor:
    flat = [states[0].transpose(0, 1) for states in (query, key, value)]
    out = torch.empty_like(flat[0])  # [tokens, heads, head size]
    for group in rows:
        q, k, v = (states[group.gather].transpose(1, 2) for states in flat)
        seen = functional.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scale, enable_gqa=True
        )  # [documents, heads, longest, head size]
        kept = seen.transpose(1, 2).flatten(0, 1)[group.keep]
        out = out.index_copy(0, group.scatter, kept)
    return out[None]


def register_packed_attention() -> None:
    """Register `PACKED` with transformers, without a mask function: no mask is made."""
    from transformers import AttentionInterface

    AttentionInterface.register(PACKED, packed_attention)
