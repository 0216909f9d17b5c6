"""A run over a file: shard by shard, and the shards joined at the end."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from graft.errors import DataError
from graft.io import digest
from graft.records import Reject, Row
from graft.serving.batch.openai_rows import OpenAiLayout
from graft.serving.batch.outputs import write_output
from graft.serving.batch.requests import (
    BatchRequest,
    Completer,
    Layout,
    Response,
    refusal,
)
from graft.serving.batch.source import Contents, Source, scan
from graft.serving.batch.work import WorkFolder
from graft.serving.errors import ApiError

MOST_REASONS = 5


@dataclass
class Counts:
    """What became of the rows.

    Attributes:
        reasons: why rows failed, the first few.
    """

    num_answered: int = 0
    num_failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, error: str | None) -> None:
        """Count a row."""
        if error is None:
            self.num_answered += 1
            return
        self.num_failed += 1
        if error in self.reasons or len(self.reasons) < MOST_REASONS:
            self.reasons[error] += 1


@dataclass(frozen=True)
class BatchRun:
    """A file to be completed.

    Args:
        out: the output.
        to_layout: what the file contains → how requests stand in its rows.
        settings: all of the command that results depend on, by name.
        shard_rows: rows that are completed together.
    """

    source: Source
    out: Path
    completer: Completer
    to_layout: Callable[[Contents], Layout]
    settings: Mapping[str, str]
    shard_rows: int

    def run(self, restart: bool = False) -> Counts:
        """Complete the file, or go on where an earlier run was interrupted.

        Args:
            restart: begin again, and replace the output if it is there.
        Raises: ConfigError if the earlier run had other settings, or the output exists.
        """
        work = WorkFolder(self.out)
        with work.locked():
            if restart:
                work.clear()
            work.check_output(restart)
            layout, contents = self._open(work)
            self._complete(work, layout, contents.num_rows)
            counts = self._join(work, layout, contents)
            work.remove()
        return counts

    def _open(self, work: WorkFolder) -> tuple[Layout, Contents]:
        """Begin the run, or resume it."""
        identity = {
            "input": self.source.digest,
            "--shard-rows": str(self.shard_rows),
            **self.settings,
            **self.completer.identity,
        }
        if work.is_begun:
            begun, contents = work.resume()
            work.check(begun, identity)
            layout = self.to_layout(contents)
        else:
            contents = scan(self.source)
            layout = self.to_layout(contents)
            work.begin(identity, contents)
        if isinstance(layout, OpenAiLayout):
            layout = OpenAiLayout(digest(identity))
        return layout, contents

    def _complete(self, work: WorkFolder, layout: Layout, num_rows: int) -> None:
        """Compute the shards that are missing."""
        rows, size = enumerate(self.source.rows(layout.columns)), self.shard_rows
        starts = range(0, num_rows, size)
        done = sum(work.has(shard) for shard in range(len(starts))) * size
        # disable=None: no bar if the output is not a terminal.
        with tqdm(
            total=num_rows,
            initial=min(done, num_rows),
            unit=" rows",
            desc="batch",
            disable=None,
        ) as progress:
            for shard in range(len(starts)):
                part = list(islice(rows, size))
                if not work.has(shard):
                    work.write(shard, self._results(part, layout, progress.update))

    def _results(
        self,
        part: Sequence[tuple[int, Row | Reject]],
        layout: Layout,
        on_done: Callable[[], object],
    ) -> list[dict[str, Any]]:
        """The result of each numbered row."""
        requests: list[BatchRequest] = []
        responses: dict[int, Response] = {}
        for number, row in part:
            try:
                requests.append(_to_request(layout, row, number))
            except ApiError as error:
                responses[number] = refusal(error, status=0)
                on_done()
        responses |= self.completer.complete(requests, on_done)
        return [layout.to_result(row, n, responses[n]) for n, row in part]

    def _join(self, work: WorkFolder, layout: Layout, contents: Contents) -> Counts:
        if Source(self.source.path).digest != self.source.digest:
            raise DataError(
                str(self.source.path),
                "changed while it was read",
                fix="begin again with --restart",
            )
        counts = Counts()

        def results() -> Iterator[dict[str, Any]]:
            for shard in range(-(-contents.num_rows // self.shard_rows)):
                for result in work.results(shard):
                    counts.add(layout.error_of(result))
                    yield result

        write_output(self.out, self.source, contents, results())
        return counts


def _to_request(layout: Layout, row: Row | Reject, number: int) -> BatchRequest:
    """The request of a row. Raises: ApiError if it has none."""
    if isinstance(row, Reject):
        raise ApiError(
            400, f"{row.where}: {row.reason}: {row.value}; expected {row.expected}"
        )
    request = layout.to_request(row, number)
    try:
        json.dumps(request.body, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:  # a lone surrogate, a date
        raise ApiError(400, f"{row.where}: not text or JSON: {error}") from error
    return request
