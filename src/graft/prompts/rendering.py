"""A model's own chat template, rendered as transformers renders it."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from threading import Lock
from typing import Any

from graft.errors import TemplateError

_MARKS = re.compile(r"\{%-?\s*generation\s*-?%\}")
_THINKS = re.compile(r"reasoning_content|(?<=\.)thinking\b|(?<=['\"])thinking(?=['\"])")

_CALL = re.compile(r"strftime_now\(\s*(['\"])(.*?)\1\s*\)")
_ANY_CALL = re.compile(r"strftime_now\s*\(")

EXPRESSION_ERRORS = (
    *(TypeError, LookupError, ValueError),
    *(AttributeError, ArithmeticError, RecursionError),
)
"""What the expressions of a template may raise."""

_RENDERING = Lock()  # transformers keeps the spans on the compiled template, a cache


class Renderer:
    """Renders conversations with one template.

    Args:
        template: the Jinja text.
        names: bos_token, eos_token, …: tokens that the template may write.
        today: the date that the template may write; None if none is recorded.
    Attributes:
        text: the template, with the date in it if it writes one.
        marks: whether it has {% generation %} blocks.
        thinks_in: the key from which it reads the reasoning of an answer; None if it
            reads none.
    Raises: TemplateError if it writes today's date and none is recorded.
    """

    def __init__(
        self, template: str, names: Mapping[str, str], today: date | None
    ) -> None:
        from transformers.utils.chat_template_utils import render_jinja_template

        self.text = template = with_date(template, today)
        self._jinja = render_jinja_template
        self.names = dict(names)
        self.marks = bool(_MARKS.search(template))
        found = _THINKS.search(template)
        self.thinks_in = found[0] if found else None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Any] | None,
        *,
        prompt: bool,
    ) -> tuple[str, list[tuple[int, int]]]:
        """The text of turns, and the spans of its {% generation %} blocks.

        `prompt`: whether the text ends with the generation prompt.
        Raises: TemplateError with the template's own message if it refuses them.
        """
        from jinja2 import TemplateError as JinjaError

        try:
            with _RENDERING:
                texts, marked = self._jinja(
                    [list(messages)],
                    tools=tools,
                    chat_template=self.text,
                    add_generation_prompt=prompt,
                    return_assistant_tokens_mask=self.marks,
                    **self.names,
                )
        except (JinjaError, *EXPRESSION_ERRORS) as error:
            raise unusable(f"refuses this conversation: {error}") from error
        return texts[0], list(marked[0]) if marked else []


def unusable(problem: str) -> TemplateError:
    """The error for a template that cannot be used."""
    return TemplateError(
        "the model's chat template",
        problem,
        expected="every turn written, and a definite start and end of each answer",
        fix="put a corrected template with {% generation %} marks into the model's "
        "chat_template.jinja, or set prompt.style: pattern",
    )


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
