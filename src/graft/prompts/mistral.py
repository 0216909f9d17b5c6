"""Mistral's official tokenizers and chat forms, from the mistral-common package.

Its sentencepiece or Tekken model itself encodes: conversions of the former differ on
newlines and indentation. Its own code writes each turn, so ids equal the official ones
in every version of the form.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from graft.errors import ConfigError, TemplateError
from graft.prompts.forms import Messages, Segments, write_each
from graft.prompts.pieces import PieceTokenizer
from graft.prompts.pools import Pool
from graft.prompts.tekken import TekkenTokenizer
from graft.prompts.tokenizers import Tokenizer
from graft.prompts.turns import to_turns

TEKKEN = "v3-tekken"
VERSIONS = ("v1", "v2", "v3", TEKKEN, "v7")


class _Segment(NamedTuple):
    ids: list[int]
    learned: bool


class Official(Tokenizer, Protocol):
    """An official tokenizer; `instruct` is its chat form."""

    instruct: Any


def load_official(version: str) -> Official:
    """An official tokenizer, by its version. Raises: ConfigError if there is none."""
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
    return OfficialPieces(getattr(MistralTokenizer, version)().instruct_tokenizer)


class OfficialPieces(PieceTokenizer):
    """An official sentencepiece model. Control tokens are never read from text."""

    def __init__(self, instruct: Any) -> None:
        self.instruct = instruct
        official = instruct.tokenizer
        super().__init__(official.file_path)
        self.pads = [i for i in (official.pad_id, official.unk_id) if i >= 0]
        self.control = {official.id_to_piece(i): i for i in official.special_ids}


class MistralForm:
    """The official chat form. A system turn opens the last user turn (v7: its own).

    Spaces at the end of an answer are cut, as the official code does.
    """

    separator = ""
    reserved: Sequence[str] = ()

    def __init__(self, tokenizer: Official) -> None:
        from mistral_common.protocol.instruct import normalize, validator

        version = tokenizer.instruct.tokenizer.version
        agnostic = validator.ValidationMode.agnostic  # ends in a user turn, or not
        self.text = f"mistral-common:{version.value}"
        self._instruct = tokenizer.instruct
        self._validator = validator.get_validator(version, agnostic)
        self._normalizer = normalize.get_normalizer(version)

    def segments(self, batch: Sequence[Messages]) -> Segments:
        """Segments of each conversation. Raises: TemplateError if the official code
        refuses one."""
        parts = write_each(lambda messages: list(self._turns(messages)), batch)
        flat = [segment for part in parts for segment in part]
        return Segments(
            Pool.of([segment.ids for segment in flat]),
            np.array([segment.learned for segment in flat], np.bool_),
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
            request = ChatCompletionRequest(messages=turns.said, tools=turns.tools)
            self._validator.validate_request(request)
            official = self._normalizer.from_chat_completion_request(request)
            kept = [turn.role for turn in official.messages if turn.role != "system"]
            if kept != [t["role"] for t in turns.said if t["role"] != "system"]:
                raise _refused("turns would be put together")
            yield from self._encode(official, turns.learned)
        except (MistralCommonException, ValidationError, AssertionError) as error:
            raise _refused(str(error) or "an answer is empty") from error

    def _encode(self, request: Any, learned: Sequence[bool]) -> Iterator[_Segment]:
        """What the official `encode_instruct` does, with the answers marked.

        Where the tools stand before the last question, earlier answers are read, and
        not learned: the model would be asked for them with the tools before them.
        """
        first, last = self._instruct.find_first_last_user(request)
        asked: list[int] = self._instruct.start()
        num_answers = 0
        for number, message in enumerate(request.messages):
            if message.role == "assistant":
                said = self._instruct.encode_assistant_message(message, number < last)
                if not said:
                    raise _refused("this version drops earlier calls of tools")
                moves = bool(request.available_tools) and number < last
                yield _Segment(asked, False)
                learns = learned[num_answers]
                num_answers += 1
                yield _Segment(said, learns and not moves)
                asked = []
            elif message.role == "tool":
                said = self._instruct.encode_tool_message(message, number < last)[0]
                if not said:
                    raise _refused("this version drops earlier results of tools")
                asked += said
            elif message.role == "system":
                asked += self._instruct.encode_system_message(message)[0]
            else:
                asked += self._instruct.encode_user_message(
                    message,
                    request.available_tools,
                    number == last,
                    number == first,
                    system_prompt=request.system_prompt,
                )[0]
        if asked:
            yield _Segment(asked, False)


def _refused(problem: str) -> TemplateError:
    return TemplateError(
        "the official Mistral chat form",
        f"refuses this conversation: {problem}",
        expected="a user turn first, then answers that are not empty",
        fix="correct the example, or set task.prompt.style: pattern",
    )
