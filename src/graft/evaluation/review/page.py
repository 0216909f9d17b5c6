"""A rater's sheet as a single HTML page that works offline."""

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files

from markupsafe import Markup

from graft.evaluation.review.key import QUESTIONS, Key, Kind
from graft.pages import environment
from graft.records import Prediction

MEANINGS = {
    "fluency": "Is it well-formed, natural language?",
    "relevance": "Does it answer the question, no more and no less?",
    "clarity": "Is it easy to understand?",
}
PACKAGE, TEMPLATE = "graft.evaluation.review", "sheet.html.jinja"


def to_sheet(kind: Kind, key: Key, examples: Mapping[str, Prediction]) -> str:
    """The sheet. It contains the texts, but not which system gave which answer.

    All texts are escaped. In addition, the content security policy of the page allows
    only its own script and no network access.

    Args:
        examples: predictions by id, including all in the key.
    """
    script, style = _read("sheet.js"), _read("sheet.css")
    items = [
        {
            "name": name,
            "example": examples[shown.example],
            "answers": [
                getattr(examples[shown.example], system)
                for system in (shown.systems if kind == "ab" else shown.systems[:1])
            ],
        }
        for name, shown in key.items(kind).items()
    ]
    return (
        environment(PACKAGE)
        .get_template(TEMPLATE)
        .render(
            kind=kind,
            sheet=key.sheet,
            items=items,
            questions=QUESTIONS[kind],
            meanings=MEANINGS,
            script=script,
            style=style,
            policy=f"default-src 'none'; script-src {_hash(script)}; "
            f"style-src {_hash(style)}; base-uri 'none'; form-action 'none'",
        )
    )


def _read(name: str) -> Markup:
    """A file beside this module, which is not escaped."""
    path = files(PACKAGE) / name
    return Markup("\n" + path.read_text(encoding="utf-8"))


def _hash(text: Markup) -> str:
    """The hash that allows an inline script or style in a content security policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
