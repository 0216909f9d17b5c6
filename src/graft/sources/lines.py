"""Sources with one row per line: JSON Lines, plain text, parallel text files."""

from collections.abc import Iterator
from itertools import zip_longest

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.files import SourcePart, reject
from graft.sources.json_values import JsonReader, to_row
from graft.sources.opening import read_lines


def read_jsonl(part: SourcePart, data: DataConfig) -> Iterator[Row | Reject]:
    """One object per line; blank lines are skipped."""
    reader = JsonReader()
    for number, line in read_lines(part.path, data.encoding):
        if not line or line.isspace():
            continue
        try:
            value = reader.read(line)
        except (ValueError, RecursionError) as error:
            if line.lstrip().startswith("[") and number == 1:
                raise _array(part) from error
            yield reject(
                part.where(number),
                "broken JSON",
                f"{error}: {line[-60:]}",
                "one complete JSON object on the line",
                "repair the line, or remove it",
            )
            continue
        if isinstance(value, list) and number == 1:
            raise _array(part)
        yield to_row(part, number, value, line)


def _array(part: SourcePart) -> DataError:
    return DataError(
        part.where(),
        "begins with [: this is a JSON array, not JSON Lines",
        expected="one object per line",
        fix="set data.format to json",
    )


def read_text(part: SourcePart, data: DataConfig) -> Iterator[Row | Reject]:
    """Rows with the single column `text`; blank lines are skipped."""
    for number, line in read_lines(part.path, data.encoding):
        if line and not line.isspace():
            yield Row({"text": line}, part.where(number), part.split)


def read_parallel(part: SourcePart, data: DataConfig) -> Iterator[Row | Reject]:
    """Line n of each file is row n. A blank line is an empty value, so that the files
    stay aligned; a line past the end of another file is a reject."""
    columns = list(part.paths)
    files = [read_lines(path, data.encoding) for path in part.paths.values()]
    for number, lines in enumerate(zip_longest(*files), 1):
        values = {
            name: line[1] for name, line in zip(columns, lines, strict=True) if line
        }
        if len(values) == len(columns):
            yield Row(values, part.where(number), part.split)
            continue
        longer = min(values, key=columns.index)
        ended = [part.paths[name].name for name in columns if name not in values]
        yield reject(
            part.where(number, longer),
            "no partner",
            values[longer],
            f"as many lines in {', '.join(ended)} as in {part.paths[longer].name}",
            "align the files again: rows before this one may be shifted too",
        )
