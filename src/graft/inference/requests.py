"""What the scheduler is asked for, and what it reports."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from graft.errors import RequestError
from graft.inference.detokenizer import StreamedText, TokenDecoder
from graft.inference.grammars import GrammarState, Vocabulary

Finish = Literal["stop", "length", "cancelled", "failed"]
"""A stop token, a stop text or the end of the grammar; the limit of tokens; cancelled;
a grammar that is too complex to go on."""


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


class RowTemplate(TokenDecoder, Vocabulary, Protocol):
    """The part of a prompt template that rows use."""


GREEDY = Sampling()
MOST_LIKELY = 1024
"""Most likely tokens that a row may report: all rows of a step compute as many as one
of them requests. The API accepts fewer."""


@dataclass(frozen=True)
class GenerationRequest:
    """A prompt to be continued.

    Args:
        key: names the row in events; unique among the rows that have not ended.
        prompt: token ids, at least one.
        max_new_tokens: most tokens generated.
        adapter: the name of the adapter that is on; None: the base alone.
        stop_ids: tokens that end the row; they belong to its tokens.
        template: decodes the tokens; None: events have no text. A grammar needs one.
        stop: texts that end the row; they do not belong to its text.
        sampling: how tokens are chosen.
        logprobs: report the log-probability of each chosen token, and of so many of
            the most likely ones, at most `MOST_LIKELY`; None: report none.
        grammar: of the text, as `json_grammar` returns it; None: any text. The end
            of the text ends the row.
    Raises: RequestError for another number of log-probabilities.
    """

    key: Hashable
    prompt: Sequence[int]
    max_new_tokens: int
    adapter: str | None = None
    stop_ids: frozenset[int] = frozenset()
    template: RowTemplate | None = None
    stop: Sequence[str] = ()
    sampling: Sampling = GREEDY
    logprobs: int | None = None
    grammar: str | None = None

    def __post_init__(self) -> None:
        if self.logprobs is not None and not 0 <= self.logprobs <= MOST_LIKELY:
            raise RequestError(
                f"request {self.key!r}",
                f"cannot report {self.logprobs} log-probabilities a token",
                expected=f"a number from 0 to {MOST_LIKELY}",
                fix="lower logprobs or top_logprobs",
            )


class TokenLogprobs(NamedTuple):
    """Log-probabilities at one place, in nats, before grammar, temperature and filters.

    Args:
        chosen: of the token that was chosen.
        likely: the most likely tokens and theirs, the best first.
    """

    chosen: float
    likely: list[tuple[int, float]]


@dataclass(frozen=True)
class TokensEvent:
    """New tokens of a row.

    Args:
        key: of its request.
        tokens: new since its last event.
        logprobs: at the places of those tokens; empty if not requested.
        text: new since its last event, and certain: see `StreamedText`.
        finish: why the row has ended; None: it goes on.
    """

    key: Hashable
    tokens: list[int]
    logprobs: list[TokenLogprobs]
    text: str
    finish: Finish | None


class OpenRow:
    """A request, and what has been generated for it.

    Args:
        request: as asked for.
    Attributes:
        grammar: the place in the request's grammar, if it has one.
    Raises: RequestError for a grammar without a template; TemplateError if a grammar
        cannot be followed with its tokens.
    """

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.tokens: list[int] = []
        self.ended = False
        template, stop = request.template, request.stop
        self._text = StreamedText(template, stop) if template else None
        self.grammar: GrammarState | None = None
        if request.grammar is not None:
            if template is None:
                raise RequestError(
                    f"request {request.key!r}", "a grammar needs a template"
                )
            self.grammar = GrammarState(request.grammar, template)

    @property
    def num_left(self) -> int:
        """Tokens that it may still generate."""
        return self.request.max_new_tokens - len(self.tokens)

    def check(self, length: int) -> None:
        """Raises: RequestError if a slot of so many tokens cannot hold its prompt and
        all that may follow it, or there is nothing to compute."""
        request = self.request
        where = f"request {request.key!r}"
        if not request.prompt or self.num_left < 1:
            raise RequestError(where, "a row needs a prompt and at least one new token")
        if (most := len(request.prompt) + request.max_new_tokens) > length:
            raise RequestError(where, f"{most} tokens do not fit a slot of {length}")

    def extend(
        self,
        tokens: Sequence[int],
        logprobs: Sequence[Sequence[float]] = (),
        likely: Sequence[Sequence[int]] = (),
    ) -> TokensEvent:
        """Add tokens up to the row's end.

        Args:
            tokens: chosen one after another; those after its end are left out.
            logprobs: of each token, and of the most likely ones at its place.
            likely: the most likely tokens at each place, at least as many as requested.
        """
        before, shown = len(self.tokens), []
        finish: Finish | None = None
        for token in tokens[: self.num_left]:
            self.tokens.append(token)
            if self._text:
                shown.append(self._text.push(token))
            if self.grammar:
                self.grammar.add(token)
                if self.grammar.failed:
                    finish = "failed"
                    break
            if self._has_stopped(token):
                finish = "stop"
                break
        if finish is None and self.num_left < 1:
            finish = "length"
        if finish and self._text:
            shown.append(self._text.finish())
            finish = "stop" if self._text.stopped else finish
        self.ended = finish is not None
        added, logs = self.tokens[before:], []
        if self.request.logprobs is not None:
            logs = [
                TokenLogprobs(own, list(zip(ids[: self.request.logprobs], others)))
                for _, (own, *others), ids in zip(added, logprobs, likely)
            ]
        return TokensEvent(self.request.key, added, logs, "".join(shown), finish)

    def _has_stopped(self, token: int) -> bool:
        """Whether a row ends with this token, the last of its tokens."""
        return bool(
            token in self.request.stop_ids
            or (self._text and self._text.stopped)
            or (self.grammar and self.grammar.complete)
        )

    def cancel(self) -> TokensEvent:
        """End the row."""
        self.ended = True
        rest = self._text.finish() if self._text else ""
        return TokensEvent(self.request.key, [], [], rest, "cancelled")
