"""The reference of all drift analyses: features of prompts of the training split."""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graft import io
from graft.errors import DataError
from graft.monitoring.features import FEATURE_SCHEMA, VERSION, Features, to_features
from graft.records import Message

NUM_ROWS = 5_000
"""Of the sample. Ten windows of 500 requests: then the chance in a window is greater
than that in the reference."""
_KEY = b"graft.profile"
READ = ["id", "augmented"]
FILE = "profile.parquet"
"""Its name in the artifacts of a version's run."""


@dataclass(frozen=True)
class ProfileFacts:
    """What a profile was made of.

    Args:
        num_prompts: of the training split, of which the rows are a sample.
        template_hash: of the prompt template.
        opens_documents: whether there are no prompts, and the text is that of whole
            documents; then lengths are not compared.
        features_version: `graft.monitoring.features.VERSION`.
    """

    num_prompts: int
    template_hash: str
    opens_documents: bool
    features_version: int = VERSION


@dataclass(frozen=True)
class Profile:
    """Rows of `FEATURE_SCHEMA`, in an order without meaning, and their origin."""

    rows: pa.Table
    facts: ProfileFacts


def make_profile(
    read: Callable[[list[str] | None], Iterable[pa.Table]], template_hash: str
) -> Profile:
    """The profile of the training split.

    A prompt is what precedes the last answer. The rows are those with the lowest
    digests of their ids, so that the sample stays while the data grow.

    Args:
        read: tables of sequences, with the given columns; called twice.
        template_hash: of the template that made the sequences.
    """
    count, chosen = 0, list[tuple[str, str]]()
    for table in read(READ):
        ids = table.filter(pc.invert(table["augmented"]))["id"].to_pylist()
        count += len(ids)
        chosen = heapq.nsmallest(NUM_ROWS, [*chosen, *((io.digest(i), i) for i in ids)])
    wanted = pa.array([i for _, i in chosen], pa.string())
    features, opens = list[Features](), list[bool]()
    for table in read(["id", "augmented", "messages", "input_ids", "loss_mask"]):
        own = pc.and_(pc.invert(table["augmented"]), pc.is_in(table["id"], wanted))
        for row in table.filter(own).to_pylist():
            text = "\n".join(_user_texts(row["messages"]))
            ids = row["input_ids"][: _prompt_length(row["loss_mask"])]
            if opens_document := not text:
                text, ids = row["messages"][-1]["content"], row["input_ids"]
            opens.append(opens_document)
            features.append(to_features(text, ids))
    rows = pa.Table.from_pylist([one.to_row() for one in features], FEATURE_SCHEMA)
    return Profile(rows, ProfileFacts(count, template_hash, any(opens)))


def _user_texts(messages: Iterable[Message]) -> Iterator[str]:
    return (one["content"] for one in messages if one["role"] == "user")


def _prompt_length(mask: list[bool]) -> int:
    """Tokens before the last run with loss."""
    runs = [(has_loss, len(list(run))) for has_loss, run in groupby(mask)]
    while runs and not runs[-1][0]:
        runs.pop()
    return sum(length for _, length in runs[:-1])


def write_profile(path: Path, profile: Profile) -> None:
    """Write it as one Parquet file."""
    facts = json.dumps(asdict(profile.facts), sort_keys=True).encode()
    table = profile.rows.replace_schema_metadata({_KEY: facts})
    with io.atomic(path) as partial:
        pq.write_table(table, partial, compression="zstd", write_page_checksum=True)


def read_profile(path: Path) -> Profile:
    """Read it.

    Raises: DataError if it is missing or broken, or of other features.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        facts = ProfileFacts(**json.loads((table.schema.metadata or {})[_KEY]))
        table = table.select(FEATURE_SCHEMA.names).cast(FEATURE_SCHEMA)
    except OSError as error:
        raise io.storage_error(path, error) from error
    except (pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise _unusable(path, f"is no profile: {str(error).splitlines()[0]}") from error
    if facts.features_version != VERSION:
        raise _unusable(path, f"has features of version {facts.features_version}")
    return Profile(table.replace_schema_metadata(), facts)


def _unusable(path: Path, problem: str) -> DataError:
    return DataError(
        str(path),
        problem,
        expected=f"a file of stage profile, with features of version {VERSION}",
        fix="write and register it again: dvc repro evaluate",
    )
