"""One way to ask on the page: fields, versions, answers side by side."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from graft.serving.demo import texts
from graft.serving.demo.card import Card, add_card, connect
from graft.serving.demo.client import ApiClient
from graft.serving.demo.feedback import FeedbackFolder
from graft.serving.demo.questions import Form
from graft.serving.demo.samples import to_examples
from graft.serving.demo.sides import (
    MOST_SIDES,
    Side,
    first_choice,
    stream_all,
    to_label,
)

VERBS = {"translation": ("Translate", "translation"), "chat": ("Send", "answer")}
"""What the button says, and what an answer is."""


@dataclass(frozen=True)
class Panel:
    """The components of one form."""

    form: Form
    client: ApiClient
    state: gr.State
    models: gr.Dropdown
    fields: Sequence[gr.Textbox]
    send: gr.Button
    stop: gr.Button
    cards: Sequence[Card]

    @property
    def outputs(self) -> list[Any]:
        """All components that answers change."""
        found: list[Any] = [self.state, self.send, self.stop]
        if self.form.is_chat:
            found += self.fields
        for card in self.cards:
            found += card.outputs
        return found

    async def answer(
        self, sides: list[Side], models: list[str], *values: str
    ) -> AsyncGenerator[dict[Any, Any], None]:
        """Ask all models, and show their answers while they grow."""
        fields = dict(zip(self.form.fields, values, strict=True))
        if missing := self.form.missing(fields) or ([] if models else ["versions"]):
            gr.Warning(f"Please fill in: {', '.join(missing)}.")
            yield {self.state: sides}
            return
        sides = continued(sides, models) if self.form.is_chat else []
        sides = sides or [Side(model) for model in models]
        questions = []
        for side in sides:
            side.ask(fields, self.form.to_messages(fields, side.before))
            questions.append(self.form.to_question(fields, side.prompt))
        yield self._begun(sides)
        async with aclosing(stream_all(self.client, sides, questions)) as steps:
            async for _ in steps:
                yield self._shown(sides, are_open=True)
        yield self.ended(sides)

    def ended(self, sides: list[Side]) -> dict[Any, Any]:
        """All answers with their differences, as they are now."""
        found = self._shown(sides, are_open=False) | self._buttons(running=False)
        for card, side in zip(self.cards, sides):
            found |= card.judged(side)
        return found

    def chosen(self, models: list[str]) -> dict[Any, Any]:
        """Nothing is asked yet of these models."""
        found = self._shown([Side(model) for model in models], are_open=False)
        found |= self._buttons(running=False) | {self.state: []}
        for number, card in enumerate(self.cards):
            found |= card.closed()
            found[card.column] = gr.Column(visible=number < max(len(models), 1))
        return found

    def _begun(self, sides: list[Side]) -> dict[Any, Any]:
        found = self._shown(sides, are_open=True) | self._buttons(running=True)
        found[self.state] = sides  # the same object until the end: `ended` finds it
        for card in self.cards:
            found |= card.closed()
        if self.form.is_chat:
            found |= {field: "" for field in self.fields}
        return found

    def _buttons(self, running: bool) -> dict[Any, Any]:
        return {
            self.send: gr.Button(visible=not running),
            self.stop: gr.Button(visible=running),
        }

    def _shown(self, sides: list[Side], are_open: bool) -> dict[Any, Any]:
        shown = texts.to_cards(sides, are_open=are_open, with_prompts=self.form.is_chat)
        return {card.text: text for card, text in zip(self.cards, shown)}


def continued(sides: Sequence[Side], models: Sequence[str]) -> list[Side]:
    """The chats with the same models, continued; empty if there are none."""
    if [side.model for side in sides] != list(models):
        return []
    return [Side(side.model, before=side.turns) for side in sides]


def add_panel(
    form: Form,
    client: ApiClient,
    models: Sequence[str],
    prompts: Sequence[str],
    folder: FeedbackFolder,
) -> Panel:
    """Add a form to the page.

    Args:
        models: values for `model`.
        prompts: for examples.
    """
    verb, noun = VERBS.get(form.name, ("Answer", "answer"))
    chosen = first_choice(models)
    state = gr.State([])
    with gr.Row(elem_classes="ask"):
        with gr.Column(min_width=260, scale=2):
            fields = [_add_field(form, name) for name in form.fields]
        with gr.Column(min_width=260, scale=1):
            choice = gr.Dropdown(
                [(to_label(model), model) for model in models],
                value=chosen,
                multiselect=True,
                max_choices=MOST_SIDES,
                label=f"Versions (at most {MOST_SIDES})",
                filterable=False,
            )
            send = gr.Button(verb, variant="primary")
            stop = gr.Button("Stop", variant="stop", visible=False)
            new = gr.Button("New chat", size="sm", visible=form.is_chat)
    with gr.Row(elem_classes="cards"):
        cards = [
            add_card(number, noun, texts.to_card(Side(model)), bool(model))
            for number, model in enumerate([*chosen, "", "", ""][:MOST_SIDES])
        ]
    if examples := to_examples(form, prompts):
        gr.Examples(examples, fields, cache_examples=False, api_visibility="private")
    panel = Panel(form, client, state, choice, fields, send, stop, cards)
    _connect(panel, new, folder)
    return panel


def _add_field(form: Form, name: str) -> gr.Textbox:
    label = name.replace("_", " ").capitalize()
    return gr.Textbox(
        label=f"{label} (optional)" if name in form.optional else label,
        lines=2 if form.is_chat or len(form.fields) > 1 else 4,
        max_lines=12,
        elem_id=f"{form.name}-{name}",
        autofocus=name == form.fields[0],
    )


def _connect(panel: Panel, new: gr.Button, folder: FeedbackFolder) -> None:
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    asked = gr.on(
        [panel.send.click, *(field.submit for field in panel.fields)],
        panel.answer,
        [panel.state, panel.models, *panel.fields],
        panel.outputs,
        api_name=panel.form.name,
        show_progress="hidden",
    )
    panel.stop.click(panel.ended, panel.state, panel.outputs, cancels=asked, **hidden)
    for trigger in (panel.models.change, new.click):
        trigger(panel.chosen, panel.models, panel.outputs, cancels=asked, **hidden)
    for number, card in enumerate(panel.cards):
        connect(card, number, panel.state, panel.form.name, folder)
