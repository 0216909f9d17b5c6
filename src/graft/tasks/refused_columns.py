"""Columns that change the meaning of a chat and are not supported.

They are read without being mapped, so that none of them is dropped silently.
"""

from collections.abc import Mapping
from typing import Any

from graft.data.convert.fields import Unfit

_MEDIA = ("image", "images", "video", "videos", "audio", "audios")
_LABELS = ("label", "kto_tag")
REFUSED = (*_MEDIA, *_LABELS, "history", "functions")
"""Images, video and audio; KTO's labels of good and bad answers; earlier turns in
Alpaca's schema; tools in OpenAI's older schema."""


def check_columns(fields: Mapping[str, Any]) -> None:
    """Raises: Unfit naming a column that is not supported."""
    for name in _LABELS:
        if fields.get(name) is False:
            raise Unfit(
                "an undesirable answer",
                f"{name}: false",
                "desirable answers; undesirable ones need another kind of training",
                f"remove the row; or the column {name}, if it means something else",
            )
    for name in REFUSED:
        if name not in _LABELS and fields.get(name) not in (None, "", [], {}):
            raise Unfit(
                f"a column {name} beside the chat",
                fields[name],
                "a chat that is complete without it",
                _FIXES.get(name, "remove the row, or the column if it has no meaning"),
            )


_FIXES = {
    "functions": "map them: data.fields.tools: functions",
    "history": "write the row as a chat, with its earlier turns",
}
