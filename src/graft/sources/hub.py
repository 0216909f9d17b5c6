"""Data sets of the Hugging Face hub, streamed at a pinned revision."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row

Load = Callable[..., Iterable[dict[str, Any]]]
"""`datasets.load_dataset`, or a stand-in for it."""


def read_hub(
    data: DataConfig, split: str | None, name: str, load: Load | None = None
) -> Iterator[Row | Reject]:
    """Rows of one split; where is `id/subset/split:row`, row n from 1.

    Args:
        data: the source; `hub_id`, `subset` and `revision` say which.
        split: the official split of these rows, or None.
        name: the hub's name of the split, such as train or train[:1000].
        load: what opens a data set; `datasets.load_dataset` unless told.
    Raises: DataError if the hub cannot be reached or has no such data set.
    """
    place = "/".join(part for part in (data.hub_id, data.subset, name) if part)
    try:
        for number, values in enumerate(_open(data, name, load), 1):
            yield Row(dict(values), f"{place}:{number}", split)
    except (OSError, ValueError, RuntimeError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise DataError(
            place,
            f"cannot be read from the hub: {lines[0]}",
            expected=f"revision {data.revision} with this subset and split",
            fix="check hub_id, subset, revision and files in configs/data, the "
            "network, and for a gated data set the token in HF_TOKEN",
        ) from error


def _open(data: DataConfig, name: str, load: Load | None) -> Iterable[dict[str, Any]]:
    if load is None:
        from datasets import disable_progress_bars, load_dataset

        disable_progress_bars()
        load = load_dataset
    return load(
        data.hub_id, data.subset, split=name, revision=data.revision, streaming=True
    )
