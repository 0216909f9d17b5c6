"""Cross-entropy over a vocabulary, with its gradient."""

# pylint: disable=invalid-name  # Triton's convention for constants

import torch
import triton
import triton.language as tl
from torch import Tensor


def cross_entropy_(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """Weighted losses in nats, float32, [rows]. Replaces the logits, [rows, vocab], by
    their gradient."""
    num, size = logits.shape
    losses = logits.new_empty(num, dtype=torch.float32)
    has = weights is not None
    given = weights if weights is not None else losses
    _cross_entropy[(num,)](
        logits, targets, given, losses, size, logits.stride(0), has, 4096, num_warps=8
    )
    return losses


@triton.jit
def _cross_entropy(
    logits_at,
    targets_at,
    weights_at,
    losses_at,
    size,
    stride,
    HAS_WEIGHTS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    logits_at += row * stride
    target = tl.load(targets_at + row)
    weight = 1.0
    if HAS_WEIGHTS:
        weight = tl.load(weights_at + row).to(tl.float32)
    target_logit = tl.load(logits_at + target).to(tl.float32)
    most = tl.full([BLOCK], -float("inf"), tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    for start in range(0, size, BLOCK):
        place = start + tl.arange(0, BLOCK)
        logits = tl.load(logits_at + place, place < size, -float("inf")).to(tl.float32)
        larger = tl.maximum(most, logits)
        safe = tl.where(larger == -float("inf"), 0.0, larger)
        total = total * tl.exp(most - safe) + tl.exp(logits - safe)
        most = larger
    top = tl.max(most)
    log_total = top + tl.log(tl.sum(total * tl.exp(most - top)))
    tl.store(losses_at + row, weight * (log_total - target_logit))
    for start in range(0, size, BLOCK):
        place = start + tl.arange(0, BLOCK)
        here = place < size
        logits = tl.load(logits_at + place, here, 0.0).to(tl.float32)
        share = tl.exp(logits - log_total)
        share -= tl.where(place == target, 1.0, 0.0)
        tl.store(logits_at + place, share * weight, here)
