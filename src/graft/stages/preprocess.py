"""Stage `preprocess`: examples → clean examples, and rejects with their reasons."""

from functools import partial
from pathlib import Path

from graft import cli, io
from graft.config import EngineConfig, PreprocessConfig
from graft.curation.decisions import read_decisions, write_review
from graft.data.balance import RowBalance
from graft.data.preprocess.cleaning import CleaningCounts, clean, marked_schema
from graft.data.preprocess.duplicates import find_duplicates
from graft.data.preprocess.partition import Partition
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
    """Repair texts, drop examples by the rules, and count what changed and dropped."""
    decided = read_decisions(decisions)
    work = partial(clean, config=config, decisions=decided)
    counts = CleaningCounts()
    with open_engine(engine) as workers:
        tables = counts.count(workers.map(work, io.read_batches(examples)))
        tables = track(tables, "preprocess", io.num_rows(examples))
        # Repaired once, read several times.
        with io.scratch(out, tables, marked_schema(config)) as marked:
            duplicates = find_duplicates(marked, config, workers.map)
            partition = Partition(config, duplicates, decided.readmitted)
            with (
                io.open_shards(out, EXAMPLE_SCHEMA) as kept,
                io.open_shards(rejects, REJECT_SCHEMA) as dropped,
            ):
                run = LocalEngine(num_cores()).map  # the duplicates are in this process
                for good, bad in partition.divide(marked.tables(), run):
                    kept.write(good)
                    dropped.write(bad)
    write_review(review, counts.review)
    balance = RowBalance("preprocess", counts.rows, kept.num_rows, partition.reasons)
    io.write_json(
        report, balance.to_report() | counts.to_report() | partition.to_report()
    )
    print(f"{balance}{counts}")


if __name__ == "__main__":
    cli.stage(run)
