"""JSON Lines written by graft or a user; a broken line is an error.

`graft.sources` reads the rows of data sources, and rejects and counts broken ones.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from graft.errors import DataError
from graft.io.files import storage_error, write_text


def read_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """The value of each line that is not blank, with its place, `FILE:LINE`.

    Raises: DataError naming the line if it is not JSON in UTF-8; StorageError.
    """
    number, text = 0, ""
    try:
        # Only \n ends a line: a text in JSON may contain U+2028 or U+0085.
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield f"{path}:{number}", json.loads(text)
    except OSError as error:
        raise storage_error(path, error) from error
    except UnicodeDecodeError as error:
        raise _broken(f"{path}:{number}", f"not UTF-8: {error.reason}") from error
    except (ValueError, RecursionError) as error:
        raise _broken(f"{path}:{number}", f"not JSON: {text.strip()[:60]}") from error


def write_json_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Write one object per line, as UTF-8, atomically."""
    lines = (json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    write_text(path, "".join(lines))


def _broken(where: str, problem: str) -> DataError:
    return DataError(
        where,
        problem,
        expected="JSON Lines: one object per line, in UTF-8",
        fix="correct or remove the line",
    )
