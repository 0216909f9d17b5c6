"""Joins consecutive rows into passages, such as the paragraphs of a novel.

Splits are made of passages, so that neighbouring chunks are never in train and test.
Rows of a book often repeat the end of the row before; repeated text is used once, so
that it cannot leak either.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from graft.records import Reject, Row

LEAST_REPEATED = 20
"""Characters; shorter texts may be equal by chance."""


def join_rows(
    rows: Iterable[Row | Reject], column: str, size: int
) -> Iterator[Row | Reject]:
    """Rows of a text column → passages of at least `size` characters.

    A passage has the place, the split and the other columns of its first row, and ends
    where the split changes. A row without text in the column is passed on unchanged, to
    be rejected.
    """
    first: Row | None = None
    texts: list[str] = []
    num_rows = 0
    last = ""
    for row in rows:
        text = row.get(column) if isinstance(row, Row) else None
        if not isinstance(row, Row) or not isinstance(text, str):
            yield row
            continue
        ended = first is not None and row.split != first.split
        if first is not None and texts and (ended or sum(map(len, texts)) >= size):
            yield _passage(first, column, texts, num_rows)
            first, texts, num_rows = None, [], 0
        first = first or row
        num_rows += 1
        fresh = text[repeated(last, text) :]
        if fresh.strip():
            texts.append(fresh)
        last = text
    if first is not None and texts:
        yield _passage(first, column, texts, num_rows)


def repeated(before: str, text: str) -> int:
    """Number of characters at the start of `text` that repeat the end of `before`; 0 if
    fewer than `LEAST_REPEATED`.

    By the prefix function (Knuth, Morris, Pratt 1977), in linear time.
    """
    if len(text) < LEAST_REPEATED:
        return 0
    joined = text + "\0" + before[-len(text) :]
    border = [0] * len(joined)
    for i in range(1, len(joined)):
        k = border[i - 1]
        while k and joined[i] != joined[k]:
            k = border[k - 1]
        border[i] = k + (joined[i] == joined[k])
    return border[-1] if border[-1] >= LEAST_REPEATED else 0


def _passage(first: Row, column: str, texts: list[str], num_rows: int) -> Row:
    values = first.values | {column: "\n\n".join(texts)}
    return replace(first, values=values, num_rows=num_rows)
