"""Columns beside a chat without which it would be another one, and which cannot be
learned. They are read without being mapped, so that none of them vanishes."""

from collections.abc import Mapping
from typing import Any

from graft.data.convert.fields import Unfit

_MEDIA = ("image", "images", "video", "videos", "audio", "audios")
_LABELS = ("label", "kto_tag")
REFUSED = (*_MEDIA, *_LABELS, "history", "functions")
"""Pictures and sound; whether an answer is a good one, as KTO has it; earlier turns as
Alpaca has them; tools as OpenAI's older schema has them."""


def check_columns(fields: Mapping[str, Any]) -> None:
    """Raises: Unfit naming a column that says what cannot be taken."""
    for name in _LABELS:
        if fields.get(name) is False:
            raise Unfit(
                "an undesirable answer",
                f"{name}: false",
                "answers to learn; examples of bad ones are another training",
                f"remove the row; or the column {name}, if it says something else",
            )
    for name in REFUSED:
        if name not in _LABELS and fields.get(name) not in (None, "", [], {}):
            raise Unfit(
                f"a column {name} beside the chat",
                fields[name],
                "a chat that is whole without it",
                _FIXES.get(name, "remove the row, or the column if it says nothing"),
            )


_FIXES = {
    "functions": "map them: data.fields.tools: functions",
    "history": "write the row as a chat, with its earlier turns",
}
