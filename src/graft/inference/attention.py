"""Attention of packed prompts, and of one token per slot over the slot's own past.

transformers' own model code calls it through its registry, so that every family whose
attention goes through that registry is served by the same scheduler. It also stores
keys and values in the slots; the model itself runs without a cache.
"""

from typing import Any

import torch
from packaging.version import Version
from torch import Tensor
from torch.nn import functional

from graft.inference.layouts import STEP, OneEach, Packed, PackedKeys

SLOTTED = "graft_slotted"
"""The name of this attention in transformers' registry."""
_GROUPED = Version(torch.__version__) >= Version("2.13")
"""Whether torch's variable-length attention supports grouped-query attention."""


def attend(
    layer: int,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float | None,
    window: int | None,
) -> Tensor:
    """Causal attention within each sequence or slot; stores keys and values.

    Args:
        layer: number of the layer.
        query: shape [tokens, heads, head size].
        key, value: shape [tokens, key heads, head size].
        scale: of scores; None: 1 / √(head size).
        window: tokens that a token attends to, including itself; None: all before it.
    Returns: shape [tokens, heads, head size].
    """
    step = STEP.get()
    layout = step.layout
    own = None if step.memory is None else step.memory[layer]
    if own is not None:
        for store, new in zip(own, (key, value)):
            store.index_put_((layout.slots, layout.positions), new)
    return attend_stored(layout, own, query, key, value, scale, window)


def attend_stored(
    layout: Packed | OneEach,
    own: Tensor | None,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float | None,
    window: int | None,
) -> Tensor:
    """As `attend`, once keys and values are stored.

    Args:
        layout: of the step's tokens.
        own: the layer's keys and values of all slots; needed unless prompts are packed.
            Shape [2, slots, length, key heads, head size].
    """
    keys = layout.keys if isinstance(layout, Packed) else None
    if window is not None and window >= (keys or layout).longest:
        window = None
    if isinstance(layout, Packed):
        if keys is not None and own is not None:
            key, value = own[:, keys.slots, keys.positions]
        packed = _packed_cuda if query.is_cuda else _packed_cpu
        return packed(query, key, value, layout, scale, window)
    assert own is not None
    if query.is_cuda:
        from graft.kernels.decode_attention import flash_decode

        scale = query.shape[-1] ** -0.5 if scale is None else scale
        return flash_decode(query, own, layout.positions, scale, window)
    return _one_each_cpu(query, own, layout, scale, window)


def slotted_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """`attend` with the signature of transformers' registry.

    Args:
        query: [1, heads, tokens, head size], or [rows, heads, 1, head size].
        key, value: the same with key heads.
        sliding_window: tokens that a token attends to, including itself.
    Returns: [1, tokens, heads, head size] or [rows, 1, heads, head size], and None for
        the attention weights.
    Raises: ValueError for a mask, soft-capping or sinks: ignoring them would be wrong.
    """
    if attention_mask is not None or softcap is not None or s_aux is not None:
        raise ValueError("slotted attention supports no mask, soft-capping or sinks")
    rows, heads, tokens, size = query.shape
    # Float32 embeddings give float32 rotary angles, and so float32 queries and keys.
    flat_query, flat_key, flat_value = (
        states.to(value.dtype).transpose(1, 2).flatten(0, 1)
        for states in (query, key, value)
    )
    number = module.layer_idx
    out = attend(number, flat_query, flat_key, flat_value, scaling, sliding_window)
    return out.view(rows, tokens, heads, size), None


def _packed_cuda(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    layout: Packed,
    scale: float | None,
    window: int | None,
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    shared = query.shape[1] // key.shape[1]  # query heads per key head
    grouped = {"enable_gqa": True} if _GROUPED and shared > 1 else {}
    if shared > 1 and not grouped:
        key, value = (s.repeat_interleave(shared, dim=1) for s in (key, value))
    whole = layout.keys or layout
    out: Tensor = varlen_attn(
        query,
        key,
        value,
        layout.starts,
        whole.starts,
        layout.longest,
        whole.longest,
        scale=scale,
        window_size=(-1 if window is None else window - 1, 0),
        **grouped,
    )
    return out


def _packed_cpu(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    layout: Packed,
    scale: float | None,
    window: int | None,
) -> Tensor:
    """Sequences are padded on the right, where causal attention does not look."""
    whole = layout.keys or layout
    gather, real = _padded(layout)
    key_gather, _ = _padded(whole)
    q = query[gather].transpose(1, 2)
    k, v = (states[key_gather].transpose(1, 2) for states in (key, value))
    mask = None
    if window is not None or layout.keys is not None:
        # Queries are the last of their sequence.
        skipped = (whole.starts.diff() - layout.starts.diff())[:, None, None]
        places = torch.arange(layout.longest)[:, None] + skipped
        back = places - torch.arange(whole.longest)  # [sequences, longest, keys]
        mask = (back >= 0)[:, None]
        if window is not None:
            mask &= (back < window)[:, None]
    out = functional.scaled_dot_product_attention(
        q, k, v, mask, is_causal=mask is None, scale=scale, enable_gqa=True
    )  # [sequences, heads, longest, head size]
    return out.transpose(1, 2)[real]


def _padded(layout: PackedKeys) -> tuple[Tensor, Tensor]:
    """Numbers of tokens, and which are not padding. Both [sequences, longest]."""
    starts, offsets = layout.starts[:-1].long(), torch.arange(layout.longest)
    real = offsets < layout.starts.diff()[:, None]
    return torch.where(real, starts[:, None] + offsets, 0), real


def _one_each_cpu(
    query: Tensor, own: Tensor, layout: OneEach, scale: float | None, window: int | None
) -> Tensor:
    """Query heads that share a key head are its queries, so no key is copied."""
    rows, heads, size = query.shape
    keys, values = own[:, :rows, : layout.longest].transpose(2, 3)
    place, last = torch.arange(layout.longest), layout.positions[:, None]
    mask = place <= last  # [rows, longest]
    if window is not None:
        mask &= place > last - window
    out = functional.scaled_dot_product_attention(
        query.view(rows, keys.shape[1], -1, size),
        keys,
        values,
        mask[:, None, None],
        scale=scale,
    )  # [rows, key heads, queries per key head, head size]
    return out.view(rows, heads, size)


def copy_slots(memory: Tensor, copies: Tensor) -> None:
    """Copy the first tokens of slots to other slots.

    Args:
        memory: shape [layers, 2, slots, length, key heads, head size].
        copies: source, target and number of tokens of each copy; no slot is both source
            and target. Shape [3, copies].
    """
    if memory.is_cuda:
        from graft.kernels.slots import copy

        copy(memory, copies)
        return
    for source, target, kept in copies.T.tolist():
        memory[:, :, target, :kept] = memory[:, :, source, :kept]


def register() -> None:
    """Register `SLOTTED` with transformers; without a mask function no mask is made."""
    from transformers import AttentionInterface

    AttentionInterface.register(SLOTTED, slotted_attention)
