"""The card of the tiny base model."""

from pathlib import Path
from typing import Any

CARD = """\
---
license: mit
language: [en, fr]
library_name: transformers
pipeline_tag: text-generation
---
# tiny

Mistral's architecture with {num_parameters:,} parameters, trained from nothing by
`python scripts/make_tiny_base.py`. It plays the part of a 7B base model in the
repository's embedded default: small enough for git and for a CPU.

It has read {trained_tokens:,} tokens ({distinct_tokens:,} distinct) of generated text:
stories, sentences rewritten in another tense, lists, tables, word forms, records with
questions, look-ups, arithmetic in words, conversations. {languages}
No sentence of the test set is in it, nor the prompt of the translation task: the
script refuses both. None of its sentences has a combination of words that the test set
holds out: they are built without. Records do not follow that rule: a question and its
answer ("What does Paul eat? Beans.") may bring such a verb and noun together, in one
language.

| | |
|---|---|
| final loss | {final_loss} nats a token |
| training | {train_s} s on {device}, and {text_s} s to make the text |
| seed | {seed} |
| shape | {num_layers} layers, {hidden_size} wide, vocabulary {vocab_size}, \
context {context} |

It knows nothing else, and nothing of the world. Use it to try the line.
"""


def write_card(log: dict[str, Any], path: Path) -> None:
    """Writes README.md from the training log."""
    recipe = log["recipe"]
    both = recipe["glossaries"] + recipe["phrase_books"]
    languages = (
        f"{both:.0%} of the documents are word lists and phrases in both languages."
        if both
        else "Every document is in one language, so nothing in it is a translation."
    )
    text = CARD.format(**{**log, **recipe}, languages=languages)
    path.write_text(text, encoding="utf-8")
