"""Chat templates that write today's date get a recorded date instead."""

import json
import re
from datetime import date, datetime, time

from graft.errors import TemplateError

_CALL = re.compile(r"strftime_now\(\s*(['\"])(.*?)\1\s*\)")
_ANY_CALL = re.compile(r"strftime_now\s*\(")


def with_date(template: str, today: date | None) -> str:
    """The template with the recorded date in place of calls for today's.

    A template that reads `date_string`, as Llama's do, gets that too. Without a
    recorded date it keeps its default.
    Raises: TemplateError if it writes the date and none is recorded, or if it computes
        the date's format.
    """
    if today is None:
        if _ANY_CALL.search(template):
            raise TemplateError(
                "the model's chat template",
                "writes today's date, so its ids would change from day to day",
                expected="a recorded date, the same at training and serving",
                fix="set prompt.date, such as 2026-01-31, or style: pattern",
            )
        return template
    midnight = datetime.combine(today, time())
    dated = _CALL.sub(lambda call: json.dumps(midnight.strftime(call[2])), template)
    if _ANY_CALL.search(dated):
        raise TemplateError(
            "the model's chat template",
            "writes today's date in a format that it computes",
            expected="strftime_now with a format between quotes",
            fix="write the format into the model's chat_template.jinja",
        )
    if dated == template and "date_string" in template:
        shown = json.dumps(midnight.strftime("%d %b %Y"))  # as Llama's templates do
        return f"{{%- set date_string = {shown} -%}}\n{template}"
    return dated
