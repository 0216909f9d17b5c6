"""What the scheduler is asked for, and what it reports."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

Finish = Literal["stop", "length", "cancelled"]
"""A stop token or stop text; the limit of tokens; cancelled."""


@dataclass(frozen=True)
class Sampling:
    """How a row chooses its tokens.

    Args:
        temperature: 0 takes the most likely token; otherwise logits are divided by it.
        top_k: only the so many most likely tokens; 0: all.
        top_p: only the most likely tokens that together reach this probability.
        min_p: only tokens of at least this share of the most likely one's probability.
        seed: a row's draws depend on it and on the token's number alone.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0


GREEDY = Sampling()


@dataclass(frozen=True)
class GenerationRequest:
    """A prompt to be continued.

    Args:
        key: names the row in events; unique among the rows that have not ended.
        prompt: token ids, at least one.
        max_new_tokens: most tokens generated.
        stop_ids: tokens that end the row; they belong to its tokens.
        ended: whether the tokens so far contain a stop text; None: there is none.
        sampling: how tokens are chosen.
        logprobs: report the log-probability of each chosen token.
    """

    key: Hashable
    prompt: Sequence[int]
    max_new_tokens: int
    stop_ids: frozenset[int] = frozenset()
    ended: Callable[[list[int]], bool] | None = None
    sampling: Sampling = GREEDY
    logprobs: bool = False


@dataclass(frozen=True)
class TokensEvent:
    """New tokens of a row.

    Args:
        key: of its request.
        tokens: new since its last event.
        logprobs: of those tokens, in nats, before temperature; empty if not requested.
        finish: why the row has ended; None: it goes on.
    """

    key: Hashable
    tokens: list[int]
    logprobs: list[float]
    finish: Finish | None
