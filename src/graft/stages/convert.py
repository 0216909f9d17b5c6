"""Stage `convert`: rows of a source → examples, and rejects with their reasons."""

from pathlib import Path

from graft import cli, io
from graft.config import ConvertConfig, DataConfig, EngineConfig, TaskConfig
from graft.data.balance import RowBalance
from graft.data.convert.conversion import Conversion
from graft.data.convert.fields import with_implied
from graft.engine.local import open_engine
from graft.io.progress import track
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA
from graft.sources import read_row_batches
from graft.tasks import get_task


def run(
    config: ConvertConfig,
    data: DataConfig,
    task: TaskConfig,
    engine: EngineConfig,
    out: Path,
    rejects: Path,
    report: Path,
) -> None:
    """Every row becomes an example or a counted reject."""
    kind = get_task(task.name)
    kind.check_fields(data.fields)
    wanted = with_implied(data.fields, kind.fields)
    source = data.model_copy(update={"fields": wanted})
    with (
        open_engine(engine) as workers,
        io.atomic(rejects) as folder,
        io.ShardWriter(folder, REJECT_SCHEMA) as writer,
    ):
        conversion = Conversion(data, kind, config.max_rejects, writer.write)
        tables = conversion.tables(read_row_batches(source), workers.map)
        io.write_batches(out, track(tables, "convert"), EXAMPLE_SCHEMA)
    balance = RowBalance(
        "convert", conversion.rows_in, conversion.num_examples, conversion.reasons
    )
    io.write_json(report, balance.to_report() | {"rows_read": conversion.rows_read})
    print(balance)


if __name__ == "__main__":
    cli.stage(run)
