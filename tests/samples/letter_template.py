"""A prompt template whose tokens are characters, and tables of pairs for it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from graft.config import PromptConfig, TokenizeConfig
from graft.data.tokenize.masks import Tokens, flatten
from graft.data.tokenize.sequences import SequenceSettings
from graft.errors import RefusedChatsError, TemplateError
from graft.records import EXAMPLE_SCHEMA, Encoded, Message

END = 0


class Letters:
    """Token i is the character i; answers carry loss, prompts do not."""

    stop_ids = [END]

    def __init__(self, *, loss_on_end: bool = True) -> None:
        self.loss_on_end = loss_on_end

    def refusal(self, messages: Sequence[Message]) -> str:
        return "" if messages[-1]["role"] == "assistant" else "no answer"

    def to_tokens(self, batch: Sequence[Sequence[Message]]) -> Tokens:
        self._refuse(batch)
        return flatten([self._one(messages) for messages in batch])

    def _refuse(self, batch: Sequence[Sequence[Message]]) -> None:
        error = TemplateError("the template", "drops a turn", fix="mend it")
        refused = {
            row: error
            for row, messages in enumerate(batch)
            if any(message["content"] == "refused" for message in messages)
        }
        if refused:
            raise RefusedChatsError(refused)

    def _one(self, messages: Sequence[Message]) -> Encoded:
        ids: list[int] = []
        mask: list[bool] = []
        for message in messages:
            is_answer = message["role"] == "assistant"
            letters = [ord(letter) for letter in message["content"]]
            ids += [*letters, END] if is_answer else letters
            loss = is_answer and message.get("learn") is not False
            mask += [loss] * len(letters) + [loss and self.loss_on_end] * is_answer
        return Encoded(ids, mask)

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        del start
        return self.show([i for i in ids if i])

    def show(self, ids: Sequence[int]) -> str:
        return "".join(chr(i) if i else "</s>" for i in ids)


def table(pairs: Sequence[tuple[str, str | None]]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for number, (prompt, answer) in enumerate(pairs):
        messages = [Message(role="user", content=prompt)]
        if answer is not None:
            messages.append(Message(role="assistant", content=answer))
        rows.append(
            {
                "id": f"id{number}",
                "messages": messages,
                "references": [],
                "group": str(number),
                "stratum": "",
                "split": None,
                "where": f"file:{number}",
            }
        )
    return pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)


def settings(
    max_seq_len: int,
    overlong: Any = "drop",
    *,
    overlap: int = 0,
    trained: Any = "all",
    paraphrases: Sequence[str] = (),
    copies: int = 0,
) -> SequenceSettings:
    limits = TokenizeConfig(
        max_seq_len=max_seq_len,
        overlong=overlong,
        overlap=overlap,
        trained_answers=trained,
        num_shown=2,
    )
    prompt = PromptConfig(
        style="chat",
        pattern=None,
        system=None,
        paraphrases=list(paraphrases),
        num_paraphrases=copies,
        date=None,
    )
    return SequenceSettings(limits, prompt)
