"""Stage `preprocess`: examples → clean examples, and rejects with where and why."""

from pathlib import Path

from graft import cli, io
from graft.config import PreprocessConfig
from graft.data.balance import Balance, named
from graft.data.cleaning import MARKED_SCHEMA, Cleaning
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA


def run(
    config: PreprocessConfig, examples: Path, out: Path, rejects: Path, report: Path
) -> None:
    """Repair texts, drop what cannot teach, and count all of it."""
    cleaning = Cleaning(config)
    marked = out.with_name(f".{out.name}.marked.partial")  # repaired once, read twice
    try:
        io.write_batches(
            marked, cleaning.first_pass(io.read_batches(examples)), MARKED_SCHEMA
        )
        kept = cleaning.kept(cleaning.second_pass(io.read_batches(marked)))
        num_kept = io.write_batches(out, kept, EXAMPLE_SCHEMA)["num_rows"]
        dropped = cleaning.dropped(cleaning.second_pass(io.read_batches(marked)))
        io.write_batches(rejects, dropped, REJECT_SCHEMA)
    finally:
        io.remove(marked)
    balance = Balance("preprocess", cleaning.rows_in, num_kept, cleaning.reasons)
    io.write_json(report, balance.to_report() | {"changed": cleaning.changed})
    print(f"{balance}; changed{named(cleaning.changed.items())}")


if __name__ == "__main__":
    cli.stage(run)
