"""Completions of a given form: which tokens may follow, by the library llguidance.

A grammar is a text, so that it passes between processes. Each row that has one has a
state of its own.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from weakref import WeakKeyDictionary, proxy

from graft.errors import RequestError

MOST_CHARS = 20_000
"""Longest schema as JSON. Compiling one takes up to 0.2 s of a processor."""
JSON_OBJECT = {"type": "object"}
"""The schema of any JSON object."""
# On one line, with at most one space: a model could write white space without end.
_ONE_LINE: Any = {
    "whitespace_flexible": False,
    "item_separator": ", ?",
    "key_separator": ": ?",
    # A schema may not change what is an error.
    "lenient": False,
    "coerce_one_of": False,
}


class Vocabulary(Protocol):
    """The part of a prompt template that grammars use."""

    @property
    def stop_ids(self) -> Sequence[int]:
        """Tokens that end an answer."""

    def token_bytes(self) -> Sequence[bytes | None]:
        """What each token adds to an answer; None: nothing."""

    def encode_text(self, text: str) -> list[int]:
        """Ids of a text that continues an answer."""


def json_grammar(schema: Mapping[str, Any]) -> str:
    """The grammar of JSON that a schema accepts, with properties in its order.

    Raises: RequestError if the schema is not valid, accepts nothing, is too complex, or
        contains keywords that could only be ignored.
    """
    from llguidance import LLMatcher, LLTokenizer

    try:
        text = json.dumps(schema, allow_nan=False)
        _check_size(schema, text)
        grammar = str(LLMatcher.grammar_from_json_schema(text, overrides=_ONE_LINE))
    except (ValueError, RecursionError) as error:
        raise _unusable(str(error)) from error
    # Bytes as tokens: the first step finds what the compiler does not.
    matcher = LLMatcher(LLTokenizer("byte"), grammar, log_level=0, limits=_limits())
    if not matcher.is_error():
        matcher.compute_bitmask()
    if matcher.is_error():
        raise _unusable(_reason(matcher))
    return grammar


class GrammarState:
    """The place of a row's text in its grammar.

    Args:
        grammar: as `json_grammar` returns it.
    Attributes:
        failed: whether the grammar was too complex to go on. All states fail together
            with the row alone.
    Raises: TemplateError if the vocabulary's tokens have no bytes of their own.
    """

    def __init__(self, grammar: str, vocabulary: Vocabulary) -> None:
        from llguidance import LLMatcher

        self._matcher = LLMatcher(
            _tokenizer_of(vocabulary), grammar, log_level=0, limits=_limits()
        )

    def allowed(self) -> bytes:
        """Which tokens may follow, a bit each, the lowest of a byte first.

        After the end, or once it has failed, only those that end an answer.
        """
        return bytes(self._matcher.compute_bitmask())

    def add(self, token: int) -> None:
        """Go on by one token."""
        self._matcher.consume_token(token)

    @property
    def failed(self) -> bool:
        return bool(self._matcher.is_error())

    @property
    def complete(self) -> bool:
        """Whether nothing can follow."""
        return bool(self._matcher.is_stopped()) and not self.failed


_TOKENIZERS: WeakKeyDictionary[Vocabulary, Any] = WeakKeyDictionary()
"""Of each vocabulary; making one takes up to a second."""


def _tokenizer_of(vocabulary: Vocabulary) -> Any:
    from llguidance import LLTokenizer, TokenizerWrapper

    found = _TOKENIZERS.get(vocabulary)
    if found is None:
        wrapper = TokenizerWrapper(_Tokens(proxy(vocabulary)))
        ends = list(vocabulary.stop_ids)
        found = LLTokenizer(wrapper, n_vocab=len(wrapper.tokens), eos_token=ends)
        _TOKENIZERS[vocabulary] = found
    return found


class _Tokens:
    """A vocabulary as llguidance reads it."""

    bos_token_id = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        known = vocabulary.token_bytes()
        size = max(len(known), 1 + max(vocabulary.stop_ids))
        self._bytes = [*known, *[None] * (size - len(known))]
        self.eos_token_id = vocabulary.stop_ids[0]
        # A token without bytes needs a name of its own.
        self.tokens = [
            b"<%d>" % i if b is None else b for i, b in enumerate(self._bytes)
        ]
        self.special_token_ids = [i for i, b in enumerate(self._bytes) if b is None]
        pieces = [(b, i) for i, b in enumerate(self._bytes) if b]
        self._ids = dict(reversed(pieces))
        self._longest = max(map(len, self._ids), default=0)

    def __call__(self, text: str) -> list[int]:
        """How the model's tokenizer writes a text that must follow."""
        ids = self._vocabulary.encode_text(text)
        if b"".join(self._bytes[i] or b"" for i in ids) == text.encode():
            return ids
        return self._longest_first(text.encode())  # it adds a space, or reads control

    def _longest_first(self, text: bytes) -> list[int]:
        """A text by the longest tokens, as far as there are any."""
        ids: list[int] = []
        while text:
            sizes = range(min(self._longest, len(text)), 0, -1)
            size = next((n for n in sizes if text[:n] in self._ids), 0)
            if not size:
                break
            ids.append(self._ids[text[:size]])
            text = text[size:]
        return ids


def _limits() -> Any:
    from llguidance import LLParserLimits

    return LLParserLimits(verbose_errors=False)  # texts must not reach the log


def _check_size(schema: Mapping[str, Any], text: str) -> None:
    """Raises: ValueError for a schema that would take seconds to compile."""
    if len(text) > MOST_CHARS:
        raise ValueError(f"it has {len(text)} characters, of at most {MOST_CHARS}")
    for name, value in _keywords(schema):
        if name == "multipleOf" and isinstance(value, (int, float)):
            _, digits, exponent = Decimal(str(value)).normalize().as_tuple()
            # The automaton has as many states as the common multiple of all of them.
            if digits not in ((1,), (2,), (5,)) or exponent not in range(-6, 4):
                raise ValueError(
                    f"multipleOf is {value}, not 1, 2 or 5 times a power of ten from "
                    "0.000001 to 1000"
                )


def _keywords(value: Any) -> Iterator[tuple[str, Any]]:
    """All names in a JSON value, with their values."""
    if isinstance(value, Mapping):
        yield from value.items()
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _keywords(one)


def _reason(matcher: Any) -> str:
    """Why a grammar cannot be used, on one line."""
    text = " ".join(matcher.get_error().replace("<non-verbose/>", "").split())
    return "no value is valid" if text.startswith("NoExtension") else text


def _unusable(problem: str) -> RequestError:
    return RequestError(
        "the JSON schema",
        problem,
        expected="a schema whose keywords can all be enforced",
        fix="correct it, or remove the keyword",
    )
