"""Choosing one token per row."""

from collections.abc import Sequence

import torch
from torch import Tensor

from graft.inference.requests import Sampling


def uniform(seed: int, number: int) -> float:
    """A number in [0, 1) that depends on both arguments alone (SplitMix64)."""
    mixed = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03) & (2**64 - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = ((mixed ^ (mixed >> shift)) * factor) & (2**64 - 1)
    return (mixed ^ (mixed >> 31)) / 2**64


class TokenChooser:
    """Chooses tokens for a fixed set of rows.

    Args:
        rows: how each row samples.
        logprobs: whether log-probabilities are computed.
        device: of the logits.
    """

    def __init__(self, rows: Sequence[Sampling], logprobs: bool, device: object):
        self._rows, self._logprobs, self._device = rows, logprobs, device
        self._warm = any(row.temperature > 0 for row in rows)
        if self._warm:
            columns = (
                [row.temperature or 1.0 for row in rows],
                [row.top_k or 2**31 - 1 for row in rows],
                [row.top_p for row in rows],
                [row.min_p for row in rows],
            )
            table = torch.tensor(columns, dtype=torch.float64, device=device)
            self._settings = [column[:, None] for column in table.float()]
            greedy = [row.temperature == 0 for row in rows]
            self._greedy = torch.tensor(greedy, device=device)

    def choose(
        self, logits: Tensor, numbers: Sequence[int]
    ) -> tuple[Tensor, Tensor | None]:
        """The tokens, [rows], and their log-probabilities, [rows], if requested.

        Args:
            logits: shape [rows, vocabulary].
            numbers: of the token that each row chooses; its first is 0.
        """
        chosen = logits.argmax(dim=-1)
        if self._warm:
            chosen = torch.where(self._greedy, chosen, self._draw(logits, numbers))
        if not self._logprobs:
            return chosen, None
        logs = logits.float().log_softmax(dim=-1)
        return chosen, logs.gather(1, chosen[:, None])[:, 0]

    def _draw(self, logits: Tensor, numbers: Sequence[int]) -> Tensor:
        temperature, top_k, top_p, min_p = self._settings
        ordered, order = (logits.float() / temperature).sort(dim=-1, descending=True)
        shares = ordered.softmax(dim=-1)
        before = shares.cumsum(dim=-1) - shares
        place = torch.arange(shares.shape[1], device=shares.device)
        out = (place >= top_k) | (before >= top_p) | (shares < min_p * shares[:, :1])
        out[:, 0] = False  # the most likely token always stays
        sums = shares.masked_fill(out, 0.0).cumsum(dim=-1)
        draws = [uniform(row.seed, n) for row, n in zip(self._rows, numbers)]
        draw = torch.tensor(draws, device=self._device)[:, None].float()
        found = (sums <= draw * sums[:, -1:]).sum(dim=-1, keepdim=True)
        last = (~out).sum(dim=-1, keepdim=True) - 1  # for a draw that rounds to 1
        return order.gather(1, torch.minimum(found, last))[:, 0]
