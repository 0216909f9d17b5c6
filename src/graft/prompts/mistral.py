"""Mistral's official tokenizers and chat formats, from the mistral-common package.

Its SentencePiece or Tekken model encodes, since conversions of the former differ in
newlines and indentation. Its own code writes each turn, so that ids equal the official
ones in every version of the format.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from graft.errors import ConfigError, TemplateError
from graft.io import digest
from graft.prompts.prompt_formats import LossSegments, Messages, write_each
from graft.prompts.sentencepiece_tokenizer import SentencePieceTokenizer
from graft.prompts.token_bytes import TokenBytes
from graft.prompts.tokenizers import Tokenizer
from graft.prompts.turns import to_turns
from graft.records.ragged import RaggedIds

TEKKEN = "v3-tekken"
VERSIONS = ("v1", "v2", "v3", TEKKEN, "v7")


class _Segment(NamedTuple):
    ids: list[int]
    has_loss: bool


class Official(Tokenizer, Protocol):
    """An official tokenizer; `instruct` is its chat format."""

    instruct: Any


def load_official(version: str) -> Official:
    """Load the official tokenizer of a version. Raises: ConfigError if none has it."""
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    if version not in VERSIONS:
        raise ConfigError(
            "model.tokenizer",
            f"mistral-common has no tokenizer {version!r}",
            expected="mistral-common: and one of " + ", ".join(VERSIONS),
            fix="use the version that the model's card names",
        )
    if version == TEKKEN:
        return TekkenTokenizer(MistralTokenizer.v3(is_tekken=True).instruct_tokenizer)
    return OfficialSentencePiece(
        getattr(MistralTokenizer, version)().instruct_tokenizer
    )


class OfficialSentencePiece(SentencePieceTokenizer):
    """An official SentencePiece model. Text never becomes a control token."""

    def __init__(self, instruct: Any) -> None:
        self.instruct = instruct
        official = instruct.tokenizer
        super().__init__(official.file_path)
        self.pads = [i for i in (official.pad_id, official.unk_id) if i >= 0]
        self.control = {official.id_to_piece(i): i for i in official.special_ids}


class TekkenTokenizer:
    """An official Tekken model, byte-level. Control tokens are never read from text."""

    opens_with_space = False
    byte_ids: frozenset[int] = frozenset()

    def __init__(self, instruct: Any) -> None:
        self.instruct = instruct
        self._official = official = instruct.tokenizer
        self.bos_id: int | None = official.bos_id
        self.eos_id: int = official.eos_id
        self.pads: Sequence[int] = [official.pad_id, official.unk_id]
        self.control: Mapping[str, int] = {
            official.id_to_piece(number): number for number in official.special_ids
        }
        self.vocab_size: int = official.n_words
        self.digest = digest(Path(official.file_path).read_bytes())

    def encode(self, texts: Sequence[str], *, start: bool) -> RaggedIds:
        """Ids of each text; they do not depend on what precedes it."""
        del start
        return RaggedIds.of(
            [self._official.encode(t, bos=False, eos=False) for t in texts]
        )

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens."""
        del start
        return str(self._official.decode([i for i in ids if 0 <= i < self.vocab_size]))

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens by name."""
        from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy

        return str(self._official.decode(list(ids), SpecialTokenPolicy.KEEP))

    def token_bytes(self) -> TokenBytes:
        """What each token adds to a text."""
        from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy

        special, keep = self._official.special_ids, SpecialTokenPolicy.KEEP
        return [
            None if number in special else self._official.id_to_byte_piece(number, keep)
            for number in range(self.vocab_size)
        ]


class MistralFormat:
    """The official chat format. The system prompt opens the last user turn; in v7 it is
    a turn of its own.

    Spaces at the end of an answer are removed, as in the official code.
    """

    separator = ""
    reserved: Sequence[str] = ()

    def __init__(self, tokenizer: Official) -> None:
        from mistral_common.protocol.instruct import normalize, validator

        version = tokenizer.instruct.tokenizer.version
        agnostic = validator.ValidationMode.agnostic  # the last turn may be of any role
        self.text = f"mistral-common:{version.value}"
        self._instruct = tokenizer.instruct
        self._validator = validator.get_validator(version, agnostic)
        self._normalizer = normalize.get_normalizer(version)

    def segments(self, batch: Sequence[Messages]) -> LossSegments:
        """Segments of each conversation. Raises: TemplateError if the official code
        refuses one."""
        parts = write_each(lambda messages: list(self._turns(messages)), batch)
        flat = [segment for part in parts for segment in part]
        return LossSegments(
            RaggedIds.of([segment.ids for segment in flat]),
            np.array([segment.has_loss for segment in flat], np.bool_),
            np.array([len(part) for part in parts], np.int64),
        )

    def _turns(self, messages: Messages) -> Iterator[_Segment]:
        from mistral_common.exceptions import MistralCommonException
        from mistral_common.protocol.instruct.request import ChatCompletionRequest
        from pydantic import ValidationError

        if not any(message["role"] == "user" for message in messages):
            raise _refused("there is no user turn")
        try:
            turns = to_turns(messages)
            request = ChatCompletionRequest(messages=turns.messages, tools=turns.tools)
            self._validator.validate_request(request)
            official = self._normalizer.from_chat_completion_request(request)
            kept = [turn.role for turn in official.messages if turn.role != "system"]
            if kept != [t["role"] for t in turns.messages if t["role"] != "system"]:
                raise _refused("turns would be put together")
            yield from self._encode(official, turns.has_loss)
        except (MistralCommonException, ValidationError, AssertionError) as error:
            raise _refused(str(error) or "an answer is empty") from error

    def _encode(self, request: Any, has_loss: Sequence[bool]) -> Iterator[_Segment]:
        """What the official `encode_instruct` does, with the answers as segments.

        Where the tools stand before the last user turn, earlier answers carry no
        loss: at inference the tools would stand before them.
        """
        first, last = self._instruct.find_first_last_user(request)
        prompt: list[int] = self._instruct.start()
        marks = list(has_loss)
        for number, message in enumerate(request.messages):
            if message.role == "assistant":
                ids = self._instruct.encode_assistant_message(message, number < last)
                if not ids:
                    raise _refused("this version drops earlier calls of tools")
                moves = bool(request.available_tools) and number < last
                yield _Segment(prompt, False)
                yield _Segment(ids, marks.pop(0) and not moves)
                prompt = []
            elif message.role == "tool":
                ids = self._instruct.encode_tool_message(message, number < last)[0]
                if not ids:
                    raise _refused("this version drops earlier results of tools")
                prompt += ids
            elif message.role == "system":
                prompt += self._instruct.encode_system_message(message)[0]
            else:
                prompt += self._instruct.encode_user_message(
                    message,
                    request.available_tools,
                    number == last,
                    number == first,
                    system_prompt=request.system_prompt,
                )[0]
        if prompt:
            yield _Segment(prompt, False)


def _refused(problem: str) -> TemplateError:
    return TemplateError(
        "the official Mistral chat format",
        f"refuses this conversation: {problem}",
        expected="a user turn first, then answers that are not empty",
        fix="correct the example, or set prompt.style: pattern",
    )
