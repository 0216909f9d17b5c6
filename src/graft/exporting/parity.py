"""Whether two models say the same: their logits over the same tokens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from graft.errors import ModelError

LONGEST, COMPARED = 512, 64
"""Tokens of a sequence that are read, and how many of them, the last, are compared.
Logits of 8 × 64 tokens over 152,000 pieces are 0.3 GB."""

ROUNDINGS = {"bfloat16": 2.0, "float16": 2.0, "float32": 100.0}
"""How far rounding may move logits: so many last bits of their spread, times the root
of the number of layers, since layers round at random. Right merges of random models of
2 to 64 layers measured up to 1.4 in 16 bits, and 10 in float32, where it is not the
weights but sums in another order that round."""

Logits = Sequence[torch.Tensor]
"""Of each sequence, shape [tokens, vocab], float32 on the CPU."""


@dataclass(frozen=True)
class Parity:
    """How far two models' logits are apart.

    Args:
        difference: mean of |one - other|, over all tokens and all of the vocabulary.
        spread: standard deviation over the vocabulary, mean over tokens.
        agreement: share of tokens whose likeliest next token is the same.
        num_tokens: compared.
    """

    difference: float
    spread: float
    agreement: float
    num_tokens: int

    @property
    def relative(self) -> float:
        """The difference as a share of the spread."""
        return self.difference / self.spread if self.spread else float("inf")

    def __str__(self) -> str:
        return (
            f"mean |difference| {self.difference:.2g}, {self.relative:.2%} of the "
            f"logits' spread {self.spread:.2f}; same first choice at "
            f"{self.agreement:.1%} of {self.num_tokens:,} tokens"
        )


def logits_of(model: Any, sequences: Sequence[Sequence[int]]) -> Logits:
    """Logits at the last tokens of each sequence, one sequence at a time."""
    model.eval()
    found = []
    with torch.inference_mode():
        for tokens in sequences:
            ids = torch.tensor([tokens[:LONGEST]], device=model.device)
            logits = model(input_ids=ids, use_cache=False).logits[0, -COMPARED:]
            found.append(logits.float().cpu())
    return found


def compare(one: Logits, other: Logits) -> Parity:
    """How far apart they are; a number that is none makes them infinitely far."""
    pairs = list(zip(one, other, strict=True))
    tokens = sum(len(logits) for logits in one)
    total = sum(float((a - b).abs().mean(-1).sum()) for a, b in pairs)
    difference = total / tokens
    return Parity(
        difference=float("inf") if math.isnan(difference) else difference,
        spread=sum(float(a.std(-1).sum()) for a in one) / tokens,
        agreement=sum(int((a.argmax(-1) == b.argmax(-1)).sum()) for a, b in pairs)
        / tokens,
        num_tokens=tokens,
    )


def tolerance(dtype: str, num_layers: int) -> float:
    """How much of the spread the rounding of weights to a type may move logits."""
    last_bit = float(torch.finfo(getattr(torch, dtype)).eps)
    return ROUNDINGS[dtype] * last_bit * math.sqrt(num_layers)


def check_parity(
    merged: Parity, moved: Parity, allowed: float, dtype: str, where: str
) -> None:
    """Hold a merged model to the base with its adapter.

    Args:
        merged: how far it is from that.
        moved: how far the adapter moves the base: less than twice the difference, and
            what was learned would be lost among roundings.
        allowed: see `tolerance`.
        dtype: what weights are stored in.
        where: its name, for the error.
    Raises: ModelError if it is another model.
    """
    if not merged.relative <= allowed:
        raise ModelError(
            where,
            f"the merged model is not the base with its adapter: {merged}",
            expected=f"at most {allowed:.2%} of the spread, as {dtype} rounds weights",
            fix="export the adapter without --merge, which changes no weight",
        )
    if merged.difference > moved.difference / 2:
        raise ModelError(
            where,
            f"what the adapter learned is lost in rounding weights to {dtype}: it "
            f"moves logits by {moved.difference:.2g}, rounding by "
            f"{merged.difference:.2g}",
            expected="an adapter that moves logits at least twice as far as rounding",
            fix="export the adapter without --merge; it was hardly trained",
        )
