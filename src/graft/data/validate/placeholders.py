"""Texts with an unfilled placeholder, such as `Dear {{name}}`.

They may be intended, as in a chat about templates, so they are reported and kept.
"""

import polars as pl

PLACE = (
    r"""\{\{[-#]?\s*[\pL_$][\pL\pN_.\- |$'"\[\]:]{0,60}\}\}"""
    r"|[\[<](?i:your|insert)[ _\-][\pL\pN_.,'’/\- ]{1,40}[\]>]"
)
"""`{{name}}` of Jinja, Mustache and Handlebars, and handwritten `[Your Name]` or
`<insert date>`."""


def find_placeholders(turns: pl.DataFrame) -> pl.DataFrame:
    """The rows of a batch with a placeholder: `row`, and the first one as `place`.

    Tool definitions and calls are ignored. `turns`: of `graft.data.turns.unfold`.
    """
    texts = turns.filter(~pl.col("role").is_in(["tools", "tool_calls", "tool"]))
    found = texts.select("row", place=pl.col("content").str.extract(PLACE, 0))
    return found.drop_nulls().unique("row", keep="first", maintain_order=True)
