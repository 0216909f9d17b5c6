"""Stage `convert`: a source's rows → examples, and rejects with where and why."""

from pathlib import Path

from graft import cli, io
from graft.config import ConvertConfig, DataConfig, TaskConfig
from graft.data.balance import Balance
from graft.data.conversion import Conversion
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA
from graft.sources import read_rows
from graft.tasks import get_task


def run(
    config: ConvertConfig,
    data: DataConfig,
    task: TaskConfig,
    out: Path,
    rejects: Path,
    report: Path,
) -> None:
    """Every row becomes an example or a counted reject."""
    kind = get_task(task.name)
    kind.check_fields(data.fields)
    conversion = Conversion(data, kind, config.max_rejects)
    tables = conversion.tables(read_rows(data))
    kept = io.write_batches(out, tables, EXAMPLE_SCHEMA)["num_rows"]
    io.write_batches(rejects, [conversion.reject_table()], REJECT_SCHEMA)
    balance = Balance("convert", conversion.rows_in, kept, conversion.reasons)
    read = {"source": data.name, "rows_read": conversion.rows_read}
    io.write_json(report, balance.to_report() | read)
    print(balance)


if __name__ == "__main__":
    cli.stage(run)
