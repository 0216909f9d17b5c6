"""A model's own chat template, rendered as transformers renders it."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from threading import Lock
from typing import Any

from graft.errors import TemplateError
from graft.prompts.dates import with_date

_MARKS = re.compile(r"\{%-?\s*generation\s*-?%\}")
_THINKS = re.compile(r"reasoning_content|(?<=\.)thinking\b|(?<=['\"])thinking(?=['\"])")

FAULTS = (
    TypeError,
    LookupError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What the expressions of a template may raise."""

# transformers caches the compiled template by its text, and keeps spans on it.
_RENDERING = Lock()


class Renderer:
    """Renders conversations with one template.

    Args:
        template: the Jinja text.
        names: bos_token, eos_token, …: tokens that the template may write.
        today: the date that the template may write; None if none is recorded.
    Attributes:
        text: the template, with the date in it if it writes one.
        names: as given.
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
        self._lock = _RENDERING
        self.marks = bool(_MARKS.search(template))
        found = _THINKS.search(template)
        self.thinks_in = found[0] if found else None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Any] | None,
        *,
        ask: bool,
    ) -> tuple[str, list[tuple[int, int]]]:
        """The text of turns, and the spans of its {% generation %} blocks.

        `ask`: with the generation prompt.

        Raises: TemplateError with the template's own message if it refuses them.
        """
        from jinja2 import TemplateError as JinjaError

        try:
            with self._lock:  # the library keeps the spans on the compiled template
                texts, marked = self._jinja(
                    [list(messages)],
                    tools=tools,
                    chat_template=self.text,
                    add_generation_prompt=ask,
                    return_assistant_tokens_mask=self.marks,
                    **self.names,
                )
        except (JinjaError, *FAULTS) as error:
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
