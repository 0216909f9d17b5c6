"""The requests that can be compared: of the present canary and champion at once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graft.monitoring.canary.evidence import Array

Texts = npt.NDArray[np.str_]
COLUMNS = (
    *("time_ms", "id", "outcome", "client", "unit", "version", "group"),
    *("num_prompt_tokens", "num_completion_tokens", "finishes"),
    *("duration_s", "first_token_s", "s_per_token"),
    *("guards", "num_refusals", "repetition", "prompt_language"),
)
"""Of the request log; those that a table lacks are taken as null."""
ANSWERED = ("completed", "failed", "deadline", "client_gone", "client_error")
"""Outcomes of requests that a version was to answer."""


@dataclass(frozen=True)
class Traffic:
    """Columns of requests; a value that a row lacks is NaN, or empty.

    Args:
        client: index of the client that a request counts for.
        has_unit: whether that is what the canary was drawn by.
        is_known: whether clients are known, or each request counts for its own.
        truncated: whether a choice ended by the limit of tokens.
        is_bad: whether users rated it as bad; NaN without a rating.
    """

    time_ms: npt.NDArray[np.int64]
    version: Texts
    group: Texts
    outcome: Texts
    client: npt.NDArray[np.intp]
    has_unit: npt.NDArray[np.bool_]
    is_known: bool
    num_prompt_tokens: Array
    num_completion_tokens: Array
    duration_s: Array
    first_token_s: Array
    s_per_token: Array
    truncated: Array
    guards: Array
    refusals: Array
    repetition: Array
    language: Texts
    is_bad: Array

    def __len__(self) -> int:
        return len(self.time_ms)

    @classmethod
    def of(cls, rows: pa.Table, ratings: Mapping[str, bool]) -> Self:
        """Requests of the groups `main` and `canary` that a version was to answer.

        Args:
            rows: of the request log.
            ratings: whether the user rated the request with an id as good.
        """
        group, outcome = _texts(rows, "group"), _texts(rows, "outcome")
        kept = np.isin(group, ("main", "canary")) & np.isin(outcome, ANSWERED)
        rows = rows.filter(pa.array(kept))
        group, ids = group[kept], _texts(rows, "id")
        units = _texts(rows, "unit")
        client, is_known = _clients(units, _texts(rows, "client"), group)
        bad = [1.0 - ratings[one] if one in ratings else np.nan for one in ids.tolist()]
        return cls(
            time_ms=_numbers(rows, "time_ms").astype(np.int64),
            version=_texts(rows, "version"),
            group=group,
            outcome=outcome[kept],
            client=client,
            has_unit=units != "",
            is_known=is_known,
            num_prompt_tokens=_numbers(rows, "num_prompt_tokens"),
            num_completion_tokens=_numbers(rows, "num_completion_tokens"),
            duration_s=_numbers(rows, "duration_s"),
            first_token_s=_numbers(rows, "first_token_s"),
            s_per_token=_numbers(rows, "s_per_token"),
            truncated=_each(rows, "finishes", lambda one: "length" in one),
            guards=_each(rows, "guards", lambda one: sum(dict(one).values())),
            refusals=_numbers(rows, "num_refusals"),
            repetition=_numbers(rows, "repetition"),
            language=_texts(rows, "prompt_language"),
            is_bad=np.asarray(bad, np.float64),
        )

    def where(self, mask: npt.NDArray[np.bool_]) -> Self:
        """Some of the requests."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        chosen = {n: v if n == "is_known" else v[mask] for n, v in values.items()}
        return type(self)(**chosen)

    def latest(self, group: str) -> str | None:
        """The version of the last request of a group."""
        mask = self.group == group
        if not mask.any():
            return None
        at = self.time_ms[mask]
        return str(max(self.version[mask][at == at.max()]))

    def between(self, canary: str, main: str, since_ms: int) -> Self:
        """Requests of a canary and a champion since both have answered: those of the
        champion before would be of another time of day."""
        is_canary = (self.group == "canary") & (self.version == canary)
        is_main = (self.group == "main") & (self.version == main)
        is_new = self.time_ms >= since_ms
        starts = [self.time_ms[one & is_new] for one in (is_canary, is_main)]
        if all(len(one) for one in starts):
            is_new &= self.time_ms >= max(one.min() for one in starts)
        return self.where((is_canary | is_main) & is_new)


def _clients(
    units: Texts, names: Texts, group: Texts
) -> tuple[npt.NDArray[np.intp], bool]:
    """Index of the client of each request, and whether all are known.

    The canary is drawn by unit. Rows of older logs have only the name of the key. A
    name that is in both groups, as that of a key that many users share, is not what was
    drawn: then no request says whose it is, and each counts for its own.
    """
    each = np.arange(len(names))
    has_unit = units != ""
    is_old = ~has_unit
    shared = set(names[is_old & (group == "main")]) & set(
        names[is_old & (group == "canary")]
    )
    is_unknown = is_old & np.isin(names, [*shared, ""])
    keys = np.where(has_unit, np.char.add("unit ", units), np.char.add("key ", names))
    keys = np.where(is_unknown, np.char.add("request ", each.astype(str)), keys)
    index = np.unique(keys, return_inverse=True)[1] if len(keys) else each
    return index, bool(len(names)) and not is_unknown.any()


def _numbers(rows: pa.Table, name: str) -> Array:
    if name not in rows.column_names:
        return np.full(len(rows), np.nan)
    column = rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(column, np.float64)


def _texts(rows: pa.Table, name: str) -> Texts:
    if name not in rows.column_names:
        return np.full(len(rows), "", dtype=np.str_)
    return np.asarray([one or "" for one in rows[name].to_pylist()], dtype=np.str_)


def _each(rows: pa.Table, name: str, value: Any) -> Array:
    if name not in rows.column_names:
        return np.full(len(rows), np.nan)
    values = [np.nan if v is None else float(value(v)) for v in rows[name].to_pylist()]
    return np.asarray(values, np.float64)
