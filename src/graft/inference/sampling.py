"""Choosing one token per row."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from graft.inference.requests import OpenRow
from graft.inference.seeds import uniform


class Chosen(NamedTuple):
    """One token a row, and log-probabilities if any row requests them.

    Args:
        tokens: shape [rows].
        logprobs: of the token, then of the most likely ones. Shape [rows, 1 + number].
        likely: the most likely tokens, the best first. Shape [rows, number].
    """

    tokens: Tensor
    logprobs: Tensor | None = None
    likely: Tensor | None = None


class ChosenOnHost:
    """Copies tokens to the host while the device goes on. Each as [rows, 1, …]."""

    def __init__(self, chosen: Chosen) -> None:
        parts = [part[:, None] for part in chosen if part is not None]
        self._parts = [part.to("cpu", non_blocking=True) for part in parts]
        self._copied = torch.cuda.Event() if chosen.tokens.is_cuda else None
        if self._copied:
            self._copied.record()

    def wait(self) -> list[list[Any]]:
        """The parts of `Chosen` that there are, as lists."""
        if self._copied:
            self._copied.synchronize()
        return [part.tolist() for part in self._parts]


class AllowedTokens:
    """The tokens that grammars allow next.

    Args:
        places: rows that have a grammar. Shape [those rows].
        masks: as `GrammarState.allowed` returns them. Shape [those rows, bytes].
    """

    def __init__(self, places: Tensor, masks: Tensor) -> None:
        self._places, self._masks = places, masks

    @classmethod
    def of(cls, rows: Sequence[OpenRow], device: Any) -> Self | None:
        """Those of some rows; None if none has a grammar."""
        places = [place for place, row in enumerate(rows) if row.grammar]
        if not places:
            return None
        masks = [row.grammar.allowed() for row in rows if row.grammar]
        bits = np.frombuffer(b"".join(masks), np.uint8).reshape(len(masks), -1).copy()
        return cls(
            torch.tensor(places).to(device, non_blocking=True),
            torch.from_numpy(bits).to(device, non_blocking=True),
        )

    def filter(self, logits: Tensor) -> Tensor:
        """Logits without the other tokens. Shapes [rows, vocabulary]."""
        shifts = torch.arange(8, dtype=torch.uint8, device=logits.device)
        bits = (self._masks[..., None] >> shifts & 1).flatten(1).bool()
        size = logits.shape[1]  # the model may have more tokens than the template
        bits = functional.pad(bits, (0, max(0, size - bits.shape[1])))[:, :size]
        own = logits[self._places].masked_fill(~bits, -torch.inf)
        return logits.index_copy(0, self._places, own)


class TokenChooser:
    """Chooses the next token of some rows.

    Args:
        rows: each has its own way of sampling.
        ahead: tokens of each row that were chosen and not given to it yet.
        device: of the logits.
    """

    def __init__(self, rows: Sequence[OpenRow], ahead: int, device: Any) -> None:
        ways = [row.request.sampling for row in rows]
        numbers = [row.request.logprobs for row in rows]
        self._open = AllowedTokens.of(rows, device)
        self._likely = max((n for n in numbers if n is not None), default=None)
        self._warm = any(way.temperature > 0 for way in ways)
        if self._warm:
            columns = (
                [min(max(way.temperature, 1e-30), 1e30) for way in ways],
                [way.top_k or 2**31 - 1 for way in ways],
                # At 1 nothing is left out, not even by rounding.
                [way.top_p if way.top_p < 1 else 2.0 for way in ways],
                [way.min_p for way in ways],
            )
            greedy = [way.temperature == 0 for way in ways]
            draws = [uniform(w.seed, len(r.tokens) + ahead) for w, r in zip(ways, rows)]
            # Not blocking: the host does not wait for the step before.
            self._settings, self._greedy, self._draws = (
                torch.tensor(values).to(device, non_blocking=True)
                for values in ([*columns], greedy, draws)
            )

    def choose(self, logits: Tensor) -> Chosen:
        """The tokens.

        Args:
            logits: shape [rows, vocabulary].
        """
        allowed = self._open.filter(logits) if self._open else logits
        tokens = allowed.argmax(dim=-1)
        if self._warm:
            shares, order = rank(allowed, *self._settings[..., None])
            drawn = draw(shares, order, self._draws[:, None])
            tokens = torch.where(self._greedy, tokens, drawn)
        if self._likely is None:
            return Chosen(tokens)
        logits = logits.float()
        top, likely = logits.topk(min(self._likely, logits.shape[1]))
        shown = torch.cat([logits.gather(1, tokens[:, None]), top], dim=1)
        return Chosen(tokens, shown - logits.logsumexp(dim=-1, keepdim=True), likely)


def rank(
    logits: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, min_p: Tensor
) -> tuple[Tensor, Tensor]:
    """Sort tokens by probability, and give those that are filtered out none.

    The filters are applied in the order of the arguments, each to the probabilities
    that the one before left, as transformers does. Of equal tokens the one with the
    lower id is more likely. The most likely token always stays.

    Args:
        logits: shape [rows, vocabulary]; the other arguments [rows, 1], and as in
            `Sampling`, but neither temperature nor top-k is 0.
    Returns: probabilities in descending order, not normalized, and their tokens. Both
        of the shape of the logits.
    """
    ordered, order = logits.float().sort(dim=-1, descending=True, stable=True)
    # The best is 0 before the division, so that no temperature is too low for it.
    scaled = (ordered - ordered[:, :1]) / temperature
    place = torch.arange(scaled.shape[1], device=scaled.device)
    shares = scaled.masked_fill(place >= top_k, -torch.inf).softmax(dim=-1)
    before = shares.cumsum(dim=-1) - shares
    out = (before >= top_p) | (shares < min_p * shares[:, :1])
    out[:, 0] = False
    return shares.masked_fill(out, 0.0), order


def draw(shares: Tensor, order: Tensor, numbers: Tensor) -> Tensor:
    """The tokens at which the cumulated shares pass the numbers, [rows].

    Args:
        shares, order: as `rank` returns them.
        numbers: in [0, 1). Shape [rows, 1].
    """
    sums = shares.cumsum(dim=-1)
    found = (sums <= numbers * sums[:, -1:]).sum(dim=-1, keepdim=True)
    # Parallel sums may round so that a number passes all of them.
    last = (shares > 0).sum(dim=-1, keepdim=True) - 1
    return order.gather(1, torch.minimum(found, last))[:, 0]
