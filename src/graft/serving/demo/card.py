"""The place of one answer on the page, with what users say about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from graft.errors import GraftError
from graft.monitoring.feedback import Verdict
from graft.serving.demo.feedback import FeedbackFolder
from graft.serving.demo.sides import Side


@dataclass(frozen=True)
class Card:
    """The components of one answer.

    Args:
        verdicts: contains the buttons good, bad, and improve.
        editor: contains the correction.
    """

    column: gr.Column
    text: gr.HTML
    verdicts: gr.Row
    buttons: tuple[gr.Button, gr.Button, gr.Button]
    editor: gr.Column
    correction: gr.Textbox
    save: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """All components that an answer changes."""
        good, bad, _ = self.buttons
        return [self.column, self.text, self.verdicts, good, bad, self.editor]

    def closed(self) -> dict[Any, Any]:
        """There is no answer to judge."""
        hidden = {self.verdicts: gr.Row(visible=False)}
        return {**hidden, self.editor: gr.Column(visible=False)}

    def judged(self, side: Side) -> dict[Any, Any]:
        """The buttons for an answer, the user's verdict on it lit."""
        good, bad, _ = self.buttons
        return {
            self.verdicts: gr.Row(visible=bool(side.answer)),
            good: gr.Button(variant=_lit(side, "good")),
            bad: gr.Button(variant=_lit(side, "bad")),
        }


def _lit(side: Side, verdict: Verdict) -> Any:
    return "primary" if side.verdict == verdict else "secondary"


def add_card(number: int, noun: str, title: str, visible: bool) -> Card:
    """Add a card to the page.

    Args:
        title: its text before there is an answer, as HTML.
        noun: what an answer is, as in `better translation`.
    """
    column = gr.Column(
        visible=visible, min_width=260, elem_classes="card", elem_id=f"card-{number}"
    )
    with column:
        text = gr.HTML(title, elem_classes="answer")
        with gr.Row(elem_classes="verdicts", visible=False) as verdicts:
            labels = ("👍 Good", "👎 Bad", "✏️ Improve")
            good, bad, improve = (
                gr.Button(label, size="sm", min_width=86, scale=0) for label in labels
            )
        with gr.Column(visible=False) as editor:
            correction = gr.Textbox(label=f"A better {noun}", lines=3, max_lines=12)
            save = gr.Button("Save", variant="primary", size="sm")
    return Card(column, text, verdicts, (good, bad, improve), editor, correction, save)


def connect(
    card: Card, number: int, state: gr.State, task: str, folder: FeedbackFolder
) -> None:
    """Make the buttons of a card work.

    Args:
        number: of the card's answer in the state, a list of sides.
        task: as in the feedback.
    """
    good, bad, improve = card.buttons

    def rate(verdict: Verdict) -> Callable[[Sequence[Side]], dict[Any, Any]]:
        def store(sides: Sequence[Side]) -> dict[Any, Any]:
            side = sides[number]
            if side.verdict != verdict:
                side.verdict = verdict
                _add(folder, side, task)
            return card.judged(side)

        return store

    def edit(sides: Sequence[Side]) -> dict[Any, Any]:
        opened = gr.Column(visible=True)
        return {card.editor: opened, card.correction: sides[number].answer}

    def save(sides: Sequence[Side], text: str) -> dict[Any, Any]:
        if not text.strip() or text == sides[number].answer:
            gr.Warning("Write a better answer first: this one is the same, or empty.")
            return {card.editor: gr.Column(visible=True)}
        _add(folder, sides[number], task, text)
        return {card.editor: gr.Column(visible=False)}

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    good.click(rate("good"), state, [card.verdicts, good, bad], **hidden)
    bad.click(rate("bad"), state, [card.verdicts, good, bad], **hidden)
    improve.click(edit, state, [card.editor, card.correction], **hidden)
    card.save.click(save, [state, card.correction], card.editor, **hidden)


def _add(
    folder: FeedbackFolder, side: Side, task: str, correction: str | None = None
) -> None:
    """Store feedback, and say so. Raises: gr.Error if it cannot be written."""
    try:
        folder.add(side.to_feedback(task, correction))
    except GraftError as error:
        raise gr.Error(str(error), print_exception=False) from error
    gr.Info("Thank you: saved.", duration=3)
