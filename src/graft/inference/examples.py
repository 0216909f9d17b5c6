"""Read the test split."""

from dataclasses import dataclass, fields
from pathlib import Path

from graft.errors import DataError
from graft.io import read_table
from graft.records import Message


@dataclass(frozen=True)
class HeldOutExample:
    """A conversation whose last turn is the reference; `references` are further ones.

    `where` is file:row of the source. `input_ids` are its tokens and `loss_mask` marks
    those with loss, both of shape [tokens]; the trained text has `num_bytes` in UTF-8.
    """

    id: str
    where: str
    group: str
    stratum: str
    messages: list[Message]
    references: list[str]
    input_ids: list[int]
    loss_mask: list[bool]
    num_bytes: int


def read_examples(folder: Path, max_examples: int | None) -> list[HeldOutExample]:
    """Read the test split, or at most `max_examples` examples, evenly spread over it.

    Raises: DataError if it is missing or empty.
    """
    table = read_table(folder, [f.name for f in fields(HeldOutExample)])
    if not table.num_rows:
        raise DataError(
            str(folder),
            "the test split is empty",
            expected="examples for evaluation",
            fix="set split.test above 0, or configure a test file in configs/data",
        )
    number = min(max_examples or table.num_rows, table.num_rows)
    chosen = [index * table.num_rows // number for index in range(number)]
    return [HeldOutExample(**row) for row in table.take(chosen).to_pylist()]
