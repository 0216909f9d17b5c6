"""Data sets of the Hugging Face Hub, streamed at a pinned revision."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from graft.config import DataConfig
from graft.errors import DataError, GraftError
from graft.records import Reject, Row
from graft.sources.files import outer_columns

_SLICE = re.compile(r"(?P<split>[^\[\]]+)\[(?P<first>\d+%?)?:(?P<last>\d+%?)?\]")


def read_hub(
    data: DataConfig,
    split: str | None,
    name: str,
    load: Callable[..., Any] | None = None,
) -> Iterator[Row | Reject]:
    """Rows of one split; their place is `id/subset/split:row`, rows from 1.

    Args:
        split: the official split of these rows, or None.
        name: the Hub's name of the split, such as train, train[:1000] or train[:1%].
        load: opens a data set; `datasets.load_dataset_builder` if None.
    Raises: DataError if the Hub cannot be reached, has no such data set, or returns
        another revision of it.
    """
    place = "/".join(part for part in (data.hub_id, data.subset, name) if part)
    try:
        builder = (load or _load)(data.hub_id, data.subset, revision=data.revision)
        _check_revision(builder, data, place)
        for number, values in enumerate(_rows(builder, data, name, place), 1):
            yield Row(dict(values), f"{place}:{number}", split)
    except GraftError:
        raise
    except Exception as error:  # errors of the Hub's client, httpx or Arrow
        lines = str(error).splitlines() or [type(error).__name__]
        raise DataError(
            place,
            f"cannot be read from the Hub: {lines[0]}",
            expected=f"revision {data.revision} with this subset and split",
            fix="check hub_id, subset, revision and files in configs/data, the "
            "network, and HF_TOKEN for a gated data set",
        ) from error


def _load(*args: Any, **options: Any) -> Any:
    from datasets import disable_progress_bars, load_dataset_builder

    disable_progress_bars()
    return load_dataset_builder(*args, **options)


def _check_revision(builder: Any, data: DataConfig, place: str) -> None:
    """Raises: DataError if the data set is not of the pinned revision.

    Offline, `datasets` uses the latest cached copy, of any revision; and it prefers a
    folder of this name in the working directory.
    """
    if builder.hash == data.revision:
        return
    raise DataError(
        place,
        f"the data set is of revision {builder.hash}, not the pinned one",
        expected=f"revision {data.revision}, a commit of the Hub in 40 hex digits",
        fix="connect to the Hub, or keep only this revision in the cache of "
        "`datasets`; to use the other one, set data.revision to it",
    )


def _rows(
    builder: Any, data: DataConfig, name: str, place: str
) -> Iterable[dict[str, Any]]:
    sliced = _SLICE.fullmatch(name)
    split = sliced["split"] if sliced else name
    rows: Iterable[dict[str, Any]] = _columns(builder, data, split)
    if not sliced:
        return rows
    counted = (builder.info.splits or {}).get(split)
    num_rows = counted.num_examples if counted else None
    first, last = (_bound(sliced[end], num_rows, place) for end in ("first", "last"))
    return islice(rows, first or 0, last)


def _columns(builder: Any, data: DataConfig, split: str) -> Any:
    """A split with only the columns that `data` names. Others are not decoded, so that
    an image, or a type that differs between files, is no error."""
    rows = builder.as_streaming_dataset(split=split)
    wanted = outer_columns(data)
    names = [name for name in rows.features or () if name in wanted]
    if not names or len(names) == len(rows.features):
        return rows
    if hasattr(builder.config, "columns"):  # Parquet, read by columns
        builder.config.columns = names
        return builder.as_streaming_dataset(split=split)
    return rows.select_columns(names)


def _bound(bound: str | None, num_rows: int | None, place: str) -> int | None:
    """A bound in rows; a percentage is rounded to whole rows as in `datasets`."""
    if bound is None or not bound.endswith("%"):
        return None if bound is None else int(bound)
    if num_rows is None:
        raise DataError(
            place,
            "the Hub has no number of rows of this split",
            expected="numbers of rows in the slice, such as train[:1000]",
            fix="write the slice of data.files in rows",
        )
    return round(num_rows * int(bound[:-1]) / 100)
