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

from graft.inference.layouts import STEP, OneEach, Packed

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
    if window is not None and window >= layout.longest:
        window = None
    if isinstance(layout, Packed):
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
    out: Tensor = varlen_attn(
        query,
        key,
        value,
        layout.starts,
        layout.starts,
        layout.longest,
        layout.longest,
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
    starts, offsets = layout.starts[:-1].long(), torch.arange(layout.longest)
    real = offsets < (layout.starts[1:] - layout.starts[:-1])[:, None]
    gather = torch.where(real, starts[:, None] + offsets, 0)  # [sequences, longest]
    q, k, v = (states[gather].transpose(1, 2) for states in (query, key, value))
    mask = None
    if window is not None:
        back = offsets[:, None] - offsets
        mask = (back >= 0) & (back < window)
    out = functional.scaled_dot_product_attention(
        q, k, v, mask, is_causal=mask is None, scale=scale, enable_gqa=True
    )  # [sequences, heads, longest, head size]
    return out.transpose(1, 2)[real]


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


def move_slots(memory: Tensor, lengths: Tensor, pairs: Tensor) -> None:
    """Copy what slots hold to other slots.

    Args:
        memory: shape [layers, 2, slots, length, key heads, head size].
        lengths: tokens of each slot. Shape [slots].
        pairs: sources and targets; no slot is both. Shape [2, moves].
    """
    if memory.is_cuda:
        from graft.kernels.slots import move

        move(memory, lengths, pairs)
        return
    for source, target in pairs.T.tolist():
        kept = int(lengths[source])
        memory[:, :, target, :kept] = memory[:, :, source, :kept]


def register() -> None:
    """Register `SLOTTED` with transformers; without a mask function no mask is made."""
    from transformers import AttentionInterface

    AttentionInterface.register(SLOTTED, slotted_attention)
