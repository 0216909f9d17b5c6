"""Splits the parts of a prompt that is written on one line."""

import polars as pl

_BEGINS = r"(^|[.!?…:;>\])\"'”»-][ \t]+|[>\"“«„(。！？])"
_QUESTION = rf"(?m){_BEGINS}((?:[^.!?。！？؟\n]|[.!?][\pL\pN])*[?？؟])"
_LABEL = r"[ \t]+([*#]*\p{Lu}\p{L}*(?: \p{L}+)?[*]*:\s)"


def in_lines(prompt: pl.Expr) -> pl.Expr:
    """Put each question, and each label such as `Answer:`, on a new line.

    So a passage and a question about it are always two lines.
    """
    return prompt.str.replace_all(_QUESTION, "$1\n$2\n").str.replace_all(_LABEL, "\n$1")
