"""Text of one completion, token by token, as far as it is certain.

Tokens that decode to text of their own are decoded once and then looked up. They are
decoded after an anchor, tokens whose text is known, since some tokenizers drop the
space that opens a text (the `prefix_offset` of text-generation-inference and vLLM).
Unlike there, text once returned is never compared by its length alone, and the bytes of
SentencePiece conversions wait for the end of their run, because one wrong byte turns
the whole run into U+FFFD.
"""

from collections.abc import Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

_REPLACEMENT = "\ufffd"  # what an incomplete character decodes to
_LONGEST_KNOWN = 4  # tokens; a character has at most four bytes
_MOST_KNOWN = 1 << 16  # texts per template


class TokenDecoder(Protocol):
    """The part of a prompt template that detokenization uses."""

    @property
    def byte_ids(self) -> frozenset[int]:
        """Tokens of single bytes that are decoded run by run."""

    def decode(self, ids: Sequence[int]) -> str:
        """Text of tokens, without special tokens."""


_KNOWN: WeakKeyDictionary[TokenDecoder, dict[tuple[int, ...], str | None]]
_KNOWN = WeakKeyDictionary()
"""Texts of a few tokens that follow others; None if a later token could change it."""


class IncrementalDetokenizer:
    """Tokens in, text out: only what no later token can change, in amortised O(1).

    It holds back characters that are not complete. Long runs without one (invalid
    bytes, special tokens before any text) are decoded again only when they have grown
    by about an eighth, so that their cost is linear too.
    """

    def __init__(self, template: TokenDecoder) -> None:
        self._decode = template.decode
        self._byte_ids = template.byte_ids
        self._known = _KNOWN.setdefault(template, {})
        self._anchor: list[int] = []
        self._anchor_length = 0  # characters
        self._pending: list[int] = []
        self._next_try = 0  # pending tokens

    def push(self, token: int) -> str:
        """The text that is now certain, and was not before."""
        pending = self._pending
        pending.append(token)
        if token in self._byte_ids or len(pending) < self._next_try:
            return ""
        if not self._anchor or len(pending) > _LONGEST_KNOWN:
            text = self._certain_text()
        elif (key := tuple(pending)) in self._known:
            text = self._known[key]
        else:
            text = self._certain_text()
            if len(self._known) < _MOST_KNOWN:
                self._known[key] = text
        if text is None:
            self._next_try = len(pending) + max(1, len(pending) // 8 - 1)
            return ""
        if not self._anchor or len(pending) < len(self._anchor):
            self._anchor_at(pending)
        self._pending, self._next_try = [], 0
        return text

    def finish(self) -> str:
        """The rest, with U+FFFD for bytes that are no character."""
        pending, self._pending = self._pending, []
        return self._text(pending) if pending else ""

    def _text(self, ids: list[int]) -> str:
        """Text of ids that follow what has been returned."""
        return self._decode([*self._anchor, *ids])[self._anchor_length :]

    def _certain_text(self) -> str | None:
        """Text of the pending tokens; None if a later one could change it."""
        text = self._text(self._pending)
        if text.endswith(_REPLACEMENT) or not (self._anchor or text):
            return None
        bytes_at = [at for at, i in enumerate(self._pending) if i in self._byte_ids]
        # Special tokens are skipped: a run of bytes continues after them.
        if bytes_at and not self._text(self._pending[bytes_at[-1] + 1 :]):
            return None
        return text

    def _anchor_at(self, ids: list[int]) -> None:
        """Decode later tokens after these, if these have text where they open one."""
        alone = self._decode(ids)
        if alone:
            self._anchor, self._anchor_length = ids, len(alone)


class StreamedText:
    """The text of a completion while its tokens are generated.

    All that `push` and `finish` return, joined, is the text of all tokens before the
    first stop text, without white space around it. White space is therefore held back
    until other text follows, and what could be the beginning of a stop text until it no
    longer can.

    Args:
        template: decodes the tokens.
        stop: texts that end the completion; none is empty.
    Attributes:
        stopped: whether a stop text was reached. Later tokens add nothing.
    """

    def __init__(self, template: TokenDecoder, stop: Sequence[str] = ()) -> None:
        self._detokenizer = IncrementalDetokenizer(template)
        self._stop = tuple(stop)
        self._firsts = {end[0] for end in stop}
        self._held = ""  # may become a stop text
        self._space = ""  # white space that other text may follow
        self._begun = False
        self.stopped = False

    def push(self, token: int) -> str:
        """The text that has become certain with this token; often empty."""
        new = "" if self.stopped else self._detokenizer.push(token)
        if not new:
            return ""
        return self._strip(self._before_stop(self._held + new, final=False))

    def finish(self) -> str:
        """The rest of the text, when no more tokens follow. To be called once."""
        if self.stopped:
            return ""
        rest = self._held + self._detokenizer.finish()
        return self._strip(self._before_stop(rest, final=True))

    def _before_stop(self, text: str, *, final: bool) -> str:
        """The part of the text that precedes every stop text, also one to come."""
        self._held = ""
        if self._firsts.isdisjoint(text):
            return text
        found = [at for stop in self._stop if (at := text.find(stop)) >= 0]
        end = min(found, default=len(text))
        for at in range(end if final else 0, end):
            # A stop text that begins earlier than the one found may be on its way.
            if any(stop.startswith(text[at:]) for stop in self._stop):
                self._held = text[at:]
                return text[:at]
        self.stopped = bool(found)
        return text[:end]

    def _strip(self, text: str) -> str:
        """The text without white space at its end, and before any other text."""
        body = text.rstrip()
        if not body:
            self._space += text
            return ""
        shown, self._space = self._space + body, text[len(body) :]
        if not self._begun:
            shown, self._begun = shown.lstrip(), True
        return shown
