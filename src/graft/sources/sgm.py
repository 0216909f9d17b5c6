"""SGM test sets of the WMT and NIST workshops: a source file and a reference file."""

import html
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from graft.config import DataConfig
from graft.records import Reject, Row
from graft.sources.files import SourcePart, reject
from graft.sources.opening import read_lines

_TAG = re.compile(r"<(/?)(doc|seg)\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = r"\b{}\s*=\s*[\"']?([^\"'\s>]+)"
_NAMES = {
    "doc": re.compile(_ATTRIBUTE.format("docid"), re.IGNORECASE),
    "seg": re.compile(_ATTRIBUTE.format("id"), re.IGNORECASE),
}

Key = tuple[str, str]
"""Document and segment ids, by which segments and translations are paired."""
Segment = tuple[Key, int, str | None]
"""Key, line and text; the text is None if the segment is not closed."""


def read_segments(path: Path, encoding: str) -> Iterator[Segment]:
    """Segments in file order; they may span lines, and entities are resolved."""
    document, number, first, text = "", "", 0, ""
    inside = False
    for line_number, line in read_lines(path, encoding):
        at = 0
        for tag in _TAG.finditer(line):
            text += line[at : tag.start()]
            at = tag.end()
            closing, kind = tag[1], tag[2].lower()
            if inside:
                closed = bool(closing) and kind == "seg"
                whole = html.unescape(text).strip() if closed else None
                yield (document, number), first, whole
            inside = kind == "seg" and not closing
            if not closing:
                name = _NAMES[kind].search(tag[3])
                if kind == "doc":
                    document = name[1] if name else ""
                else:
                    number, first, text = name[1] if name else "", line_number, ""
        text = text + line[at:] + " " if inside else ""
    if inside:
        yield (document, number), first, None


def read_sgm(part: SourcePart, data: DataConfig) -> Iterator[Row | Reject]:
    """Pairs of segments of the same document and id; a row's number is its line.

    Files are read side by side. Segments without a partner stay in memory until it
    comes, and are rejected at the end.
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
    """The reject of a segment that is not closed, or repeated."""
    return reject(
        where,
        "broken SGM" if text is None else "repeated segment",
        f"segment {key[1]} of document {key[0]!r}" if text is None else text,
        "<seg id=…>text</seg>, each id once per document",
        "repair the segment, or remove it",
    )
