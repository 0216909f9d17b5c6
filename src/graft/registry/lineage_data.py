"""From data to models: which versions were trained on data, or learned from a row."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from graft import io
from graft.data.preprocess.partition import DUPLICATE
from graft.errors import DataError, StorageError
from graft.records import SPLITS
from graft.registry.lineage import Lineage
from graft.registry.lineage_versions import VersionLineage

if TYPE_CHECKING:
    import pyarrow as pa

SPLIT_FOLDER, REJECTS = "data/splits", "data/rejects"
"""Outputs of the pipeline with the ids of examples."""
MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?")
State = Literal[
    "train", "validation", "test", "rejected", "used", "stored", "absent", "unknown"
]
Answer = tuple[State, str]
"""A state, and one sentence of details."""
Select = Callable[["pa.Table"], Any]
"""A table → a Boolean for each of its rows."""


class Data(Protocol):
    """Data by their md5, as in `graft.cloud.data`."""

    def link(self, md5: str, out: Path) -> Path:
        """Make the data available at `out`. Raises: StorageError if they are
        missing."""


@dataclass(frozen=True)
class Finding:
    """The answer for one version.

    Attributes:
        version: its number.
        aliases: its aliases.
        state: of a row: train, validation, test, rejected or absent; of data: used (for
            training), stored (an output that training does not read) or absent;
            unknown if data are missing.
        detail: where and why, one sentence.
    """

    version: str
    aliases: tuple[str, ...]
    state: State
    detail: str


class RowSearch:
    """Looks for a row in the data of versions; data that several share are read once.

    Args:
        row: the id of an example, or the place of a row, file:row. Derived examples
            (paraphrases, parts of long ones, numbered duplicates) have the same id with
            a suffix.
        data: data by md5.
    """

    def __init__(self, row: str, data: Data) -> None:
        self._row, self._data = row, data
        self._in_splits = cache(self._find_in_splits)
        self._in_rejects = cache(self._find_in_rejects)

    def find(self, known: VersionLineage) -> Finding:
        """The answer for a version."""
        version = known.version
        state, detail = self._answer(known.lineage)
        return Finding(version.version, version.aliases, state, detail)

    def _answer(self, lineage: Lineage) -> Answer:
        splits = lineage.output(SPLIT_FOLDER)
        if splits is None:
            return "unknown", _no_lock(lineage)
        try:
            if found := self._in_splits(splits.md5, self._row):
                return found
        except (StorageError, DataError) as error:
            return "unknown", f"{SPLIT_FOLDER}: {error.where} {error.problem}"
        missing = []
        for one in lineage.outputs:
            if one.path.startswith(f"{REJECTS}/"):
                try:
                    if reject := self._in_rejects(one.md5):
                        return self._rejected(reject, splits.md5)
                except (StorageError, DataError) as error:
                    missing.append(f"{one.path}: {error.where} {error.problem}")
        if missing:
            text = f"in no split; whether it was rejected is unknown: {missing[0]}"
            return "unknown", text
        return "absent", "neither in a split nor among the rejects"

    def _rejected(self, reject: Mapping[str, str], splits: str) -> Answer:
        """A rejected row; for a duplicate, the split of the row that was kept."""
        at = f"{reject['where']} (id {reject['id']})"
        if reject["reason"] == DUPLICATE.reason:
            kept = self._in_splits(splits, reject["id"])
            if kept or (kept := self._find_equal(splits, reject["row"])):
                return kept[0], f"as {kept[1]}, of which {at} is a duplicate"
        why = f"stage {reject['stage']}: {reject['reason']}: {reject['value']}"
        return "rejected", f"{why}; {at}"

    def _find_in_splits(self, md5: str, row: str) -> Answer | None:
        """The split that has a row, by id or place."""
        return self._search_splits(md5, ["id", "where"], lambda t: _is_row(t, row))

    def _find_equal(self, md5: str, row: str) -> Answer | None:
        """The split that has an example with the messages of `row`, a whole example as
        JSON. Two rows that differ before they are cleaned have different ids."""
        wanted = json.loads(row)["messages"]

        def are_equal(table: "pa.Table") -> list[bool]:
            return [messages == wanted for messages in table["messages"].to_pylist()]

        return self._search_splits(md5, ["id", "where", "messages"], are_equal)

    def _search_splits(
        self, md5: str, columns: list[str], select: Select
    ) -> Answer | None:
        with self._linked(md5) as folder:
            for split in SPLITS:
                rows = _read(folder / split, columns, select)
                if rows:
                    places = [f"{row['where']} (id {row['id']})" for row in rows]
                    return split, ", ".join(places)  # type: ignore[return-value]
        return None

    def _find_in_rejects(self, md5: str) -> Mapping[str, str] | None:
        columns = ["id", "where", "stage", "reason", "value", "row"]
        with self._linked(md5) as folder:
            rows = _read(folder, columns, lambda table: _is_row(table, self._row))
        return rows[0] if rows else None

    @contextmanager
    def _linked(self, md5: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            yield self._data.link(md5, Path(folder) / "data")


def _read(folder: Path, columns: list[str], select: Select) -> list[dict[str, Any]]:
    """The selected rows of a table.

    Raises: DataError if it is missing or broken, or a shard is not readable.
    """
    found: list[dict[str, Any]] = []
    for table in io.read_batches(folder, columns):
        found += table.filter(select(table)).to_pylist()
    return found


def _is_row(table: "pa.Table", row: str) -> Any:
    import pyarrow.compute as pc

    pattern = f"^{re.escape(row)}(?:[^0-9A-Za-z].*)?$"
    is_id = pc.match_substring_regex(table["id"], pattern)
    return pc.or_(is_id, pc.equal(table["where"], row))


def find_data(known: VersionLineage, md5s: Sequence[str]) -> Finding:
    """Whether a version was trained on data with one of these md5s."""
    lineage, version = known.lineage, known.version
    plain = {md5.removesuffix(".dir") for md5 in md5s}
    found = [one for one in lineage.outputs if one.md5.removesuffix(".dir") in plain]
    read = training_inputs(lineage)
    used = [one for one in found if one.path in read]
    state: State = "used" if used else "stored"
    detail = ", ".join(f"{o.path} ({o.stage or 'source'})" for o in used or found)
    if not found:
        state, detail = "absent", "none of its sources and outputs has this md5"
    if not lineage.outputs:
        state, detail = "unknown", _no_lock(lineage)
    return Finding(version.version, version.aliases, state, detail)


def training_inputs(lineage: Lineage) -> set[str]:
    """Paths that the training reads, and those from which they were made."""
    stages = lineage.lock.get("stages", {})
    maker = {
        out["path"]: name
        for name, facts in stages.items()
        for out in facts.get("outs", ())
    }
    waiting, found = ["train"], set[str]()
    while waiting:
        for dep in stages.get(waiting.pop(), {}).get("deps", ()):
            if dep["path"] not in found:
                found.add(dep["path"])
                if name := maker.get(dep["path"]):
                    waiting.append(name)
    return found


def _no_lock(lineage: Lineage) -> str:
    digest = lineage.lock_digest or "unknown"
    return f"its dvc.lock (digest {digest}) is in no commit of this repository"
