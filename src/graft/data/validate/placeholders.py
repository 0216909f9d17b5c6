"""Texts with a place that nobody filled, such as `Dear {{name}}`.

They may be meant, as in a chat about templates, so they are reported and kept.
"""

import polars as pl

PLACE = (
    r"""\{\{[-#]?\s*[\pL_$][\pL\pN_.\- |$'"\[\]:]{0,60}\}\}"""
    r"|[\[<](?i:your|insert)[ _\-][\pL\pN_.,'’/\- ]{1,40}[\]>]"
)
"""`{{name}}`, as Jinja, Mustache and Handlebars write it, and `[Your Name]` or `<insert
date>`, as people do."""


def find_places(turns: pl.DataFrame) -> pl.DataFrame:
    """The rows of a batch with such a place: `row`, and the first place as `place`.

    Definitions and calls of tools are not read. `turns`: of `graft.data.turns.unfold`.
    """
    said = turns.filter(~pl.col("role").is_in(["tools", "tool_calls", "tool"]))
    found = said.select("row", place=pl.col("content").str.extract(PLACE, 0))
    return found.drop_nulls().unique("row", keep="first", maintain_order=True)
