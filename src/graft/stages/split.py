"""Stage `split`: sequences → train, validation and test."""

from pathlib import Path

from graft import cli, io
from graft.config import SplitConfig
from graft.data.splits import (
    assign_splits,
    leave_out,
    rejects_of,
    select,
    to_report,
)
from graft.records import REJECT_SCHEMA, SEQUENCE_SCHEMA, SPLITS


def run(
    split: SplitConfig, sequences: Path, out: Path, rejects: Path, report: Path
) -> None:
    """Keep official splits, carve those that are missing, and count all of them."""
    keys = io.read_table(sequences, ["group", "stratum", "split", "augmented"])
    codes = assign_splits(keys["group"], keys["split"], split)
    codes = leave_out(codes, keys["augmented"])
    facts = to_report(keys["group"], keys["stratum"], codes)
    with io.atomic(out) as partial:
        for code, name in enumerate(SPLITS):
            tables = select(io.read_batches(sequences), codes, code)
            io.write_batches(partial / name, tables, SEQUENCE_SCHEMA)
    left_out = rejects_of(io.read_batches(sequences, ["where", "group"]), codes)
    io.write_batches(rejects, left_out, REJECT_SCHEMA)
    io.write_json(report, facts)
    print("\n".join([facts["balance"], *facts["warnings"]]))


if __name__ == "__main__":
    cli.stage(run)
