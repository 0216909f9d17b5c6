"""SGM test sets of the WMT and NIST workshops: a source file and a reference file."""

import html
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from graft.config import DataConfig
from graft.records import Reject, Row
from graft.sources.files import Part, read_lines, reject

_DOCUMENT = re.compile(r"<doc\b([^>]*)>", re.IGNORECASE)
_NAME = re.compile(r"\bdocid\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_OPEN = re.compile(r"<seg\b(?:[^>]*?\bid\s*=\s*[\"']?([^\"'\s>]+))?[^>]*>", re.IGNORECASE)
_CLOSE = re.compile(r"</seg\s*>", re.IGNORECASE)

Key = tuple[str, str]
"""Document and segment: what pairs a segment with its translation."""
Segment = tuple[Key, int, str | None]
"""Key, line and text; no text if the segment is never closed."""


def read_segments(path: Path, encoding: str) -> Iterator[Segment]:
    """Segments in file order; a segment may run over lines, entities are resolved."""
    document, key, first, text = "", ("", ""), 0, ""
    inside = False
    for number, line in read_lines(path, encoding):
        at = 0
        while at < len(line) or inside:
            if inside:
                close = _CLOSE.search(line, at)
                begin = _OPEN.search(line, at)
                if begin and not (close and close.start() < begin.start()):
                    yield key, first, None
                    inside = False
                    continue
                text += line[at : close.start()] if close else line[at:] + " "
                if not close:
                    break
                yield key, first, html.unescape(text).strip()
                at, inside = close.end(), False
            elif mark := min(_marks(line, at), key=re.Match.start, default=None):
                at = mark.end()
                if mark.re is _DOCUMENT:
                    name = _NAME.search(mark[1])
                    document = name[1] if name else ""
                else:
                    key, first, text = (document, mark[1] or ""), number, ""
                    inside = True
            else:
                break
    if inside:
        yield key, first, None


def _marks(line: str, at: int) -> Iterator[re.Match[str]]:
    for pattern in (_DOCUMENT, _OPEN):
        if mark := pattern.search(line, at):
            yield mark


def read_sgm(part: Part, data: DataConfig) -> Iterator[Row | Reject]:
    """Segments of the same document and number, side by side; row n is the line.

    Files in the same order are read side by side. What has no partner yet waits in
    memory, and is put aside at the end.
    """
    columns = list(part.paths)
    files = [read_segments(path, data.encoding) for path in part.paths.values()]
    waiting: dict[Key, dict[str, tuple[int, str]]] = {}
    for segments in zip_longest(*files):
        for column, segment in zip(columns, segments, strict=True):
            if segment is None:
                continue
            key, line, text = segment
            where = part.where(line, column)
            sides = waiting.setdefault(key, {})
            if text is None or column in sides:
                yield _odd(where, key, text)
                continue
            sides[column] = (line, text)
            if len(sides) == len(columns):
                values = {name: sides[name][1] for name in columns}
                first = sides[columns[0]][0]
                yield Row(values, part.where(first, columns[0]), part.split)
                del waiting[key]
    for key, sides in waiting.items():
        for column, (line, text) in sides.items():
            others = [part.paths[name].name for name in columns if name not in sides]
            yield reject(
                part.where(line, column),
                "no partner",
                text,
                f"segment {key[1]} of document {key[0]!r} in {', '.join(others)} too",
                "add the missing segment, or remove this one",
            )


def _odd(where: str, key: Key, text: str | None) -> Reject:
    """A segment that is not closed, or comes twice."""
    return reject(
        where,
        "broken SGM" if text is None else "repeated segment",
        f"segment {key[1]} of document {key[0]!r}" if text is None else text,
        "<seg id=…>text</seg>, each id once in a document",
        "repair the segment, or remove it",
    )
