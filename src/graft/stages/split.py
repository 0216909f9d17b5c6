"""Stage `split`: sequences → train, validation and test."""

from contextlib import ExitStack
from pathlib import Path

from graft import cli, io
from graft.config import SplitConfig
from graft.data.split.report import SplitCounts
from graft.data.split.splitting import TEXTS, SplitPasses
from graft.records import REJECT_SCHEMA, SEQUENCE_SCHEMA, SPLITS
from graft.sources.benchmark_files import read_benchmark


def run(
    split: SplitConfig, sequences: Path, out: Path, rejects: Path, report: Path
) -> None:
    """Keep official splits, make those that are missing, and count all of them."""
    passes = SplitPasses(split)
    passes.plan(lambda: io.read_batches(sequences, ["group", "split", "augmented"]))
    files = split.leakage.benchmarks if split.leakage else []
    rows = (row for path in files for row in read_benchmark(path))
    passes.compare(lambda: io.read_batches(sequences, TEXTS), rows)
    counts = SplitCounts()
    with (
        io.atomic(rejects) as partial_rejects,
        io.atomic(out) as partial,
        ExitStack() as stack,
    ):
        partial.mkdir()
        folders = [(partial / name, SEQUENCE_SCHEMA) for name in SPLITS]
        writers = [
            stack.enter_context(io.ShardWriter(*folder))
            for folder in [*folders, (partial_rejects, REJECT_SCHEMA)]
        ]
        for table in io.read_batches(sequences):
            codes, parts = passes.parts(table)
            counts.add(table["stratum"], codes)
            for writer, part in zip(writers, parts, strict=True):
                writer.write(part)
        passes.enforce()
        counts.check_filled(split)
    written = sum(writer.num_rows for writer in writers)
    facts = counts.to_report(passes.num_straddling, written) | passes.to_report()
    io.write_json(report, facts)
    print("\n".join([facts["balance"], *facts["warnings"]]))


if __name__ == "__main__":
    cli.stage(run)
