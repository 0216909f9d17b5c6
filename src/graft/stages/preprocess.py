"""Stage `preprocess`: examples → clean examples, and rejects with where and why."""

from functools import partial
from pathlib import Path

from graft import cli, io
from graft.config import EngineConfig, PreprocessConfig
from graft.curation.decisions import read_decided, write_review
from graft.data.balance import Balance
from graft.data.preprocess.cleaning import Account, clean, marked_schema
from graft.data.preprocess.duplicates import find_repeats
from graft.data.preprocess.partition import Sorting
from graft.engine.local import LocalEngine, num_cores, open_engine
from graft.io.progress import track
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA


def run(
    config: PreprocessConfig,
    engine: EngineConfig,
    examples: Path,
    decisions: Path,
    out: Path,
    rejects: Path,
    review: Path,
    report: Path,
) -> None:
    """Repair texts, drop what cannot teach, and count all of it."""
    decided = read_decided(decisions)
    work = partial(clean, config=config, decided=decided)
    account = Account()
    with open_engine(engine) as workers:
        tables = account.tables(workers.map(work, io.read_batches(examples)))
        tables = track(tables, "preprocess", io.num_rows(examples))
        # Repaired once, read several times.
        with io.scratch(out, tables, marked_schema(config)) as marked:
            repeats = find_repeats(marked, config, workers.map)
            sorting = Sorting(config, repeats, decided.readmitted)
            with (
                io.open_shards(out, EXAMPLE_SCHEMA) as kept,
                io.open_shards(rejects, REJECT_SCHEMA) as dropped,
            ):
                here = LocalEngine(num_cores()).map  # what it marks by is here
                for good, bad in sorting.sort(marked.tables(), here):
                    kept.write(good)
                    dropped.write(bad)
    write_review(review, account.review)
    balance = Balance("preprocess", account.rows, kept.num_rows, sorting.reasons)
    io.write_json(
        report, balance.to_report() | account.to_report() | sorting.to_report()
    )
    print(f"{balance}{account}")


if __name__ == "__main__":
    cli.stage(run)
