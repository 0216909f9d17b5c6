"""What the page shows, as HTML."""

import html
from collections.abc import Sequence

from graft.serving.demo.differences import to_html
from graft.serving.demo.sides import Side, to_label

_WAITING = '<span class="waiting">…</span>'


def to_heading(name: str, url: str) -> str:
    """The head of the page.

    Args:
        name: of the registered model.
        url: of the API.
    """
    return (
        f'<header class="heading"><h1>{html.escape(name)}</h1>'
        f"<p>answers of {html.escape(url)}</p></header>"
    )


def to_card(
    side: Side,
    *,
    is_open: bool = False,
    with_prompt: bool = False,
    reference: str | None = None,
) -> str:
    """The answer of one version.

    Args:
        is_open: whether the answer still grows.
        with_prompt: whether the turns before it are shown.
        reference: an answer; what it lacks is marked.
    """
    title = f"<strong>{html.escape(to_label(side.model))}</strong>"
    if side.version and side.version != side.model:
        title += f" <small>{html.escape(side.version)}</small>"
    turns = side.prompt if with_prompt else []
    parts = [_turn(turn["role"], html.escape(turn["content"])) for turn in turns]
    if side.answer or is_open:
        text = to_html(side.answer, None if is_open else reference)
        parts.append(_turn("assistant", text or _WAITING))
    if side.error:
        parts.append(f'<p class="error" role="alert">{html.escape(side.error)}</p>')
    elif side.version and not side.answer and not is_open:
        parts.append('<p class="empty">an empty answer</p>')
    return f'<h2 class="version">{title}</h2>{"".join(parts)}'


def to_cards(sides: Sequence[Side], *, are_open: bool, with_prompts: bool) -> list[str]:
    """All answers; in the others, what the first one lacks is marked."""
    first = sides[0].answer if sides else ""
    return [
        to_card(
            side,
            is_open=are_open,
            with_prompt=with_prompts,
            reference=first if at and first else None,
        )
        for at, side in enumerate(sides)
    ]


def _turn(role: str, text: str) -> str:
    return f'<div class="turn {role}" dir="auto">{text}</div>'
