"""Stage `validate`: checks the data contract; copies no data."""

from pathlib import Path

from graft import cli, io
from graft.config import ValidateConfig
from graft.data.validate.audit import Audit, enforce, held_out_prompts
from graft.data.validate.page import to_page
from graft.io.progress import track


def run(config: ValidateConfig, examples: Path, report: Path, page: Path) -> None:
    """Check every example, report distributions, and fail past the error budget."""
    held_out = held_out_prompts(io.read_batches(examples, ["messages", "split"]))
    audit = Audit(config, held_out)
    total = io.num_rows(examples)
    for table in track(io.read_batches(examples), "validate", total):
        audit.add(table)
    facts = audit.to_report(io.read_batches(examples, ["id", "where"]))
    io.write_json(report, facts)
    io.write_text(page, to_page(facts))
    enforce(facts, str(page))
    print(
        f"validate: {facts['num_examples']:,} examples satisfy the contract"
        f" ({facts['num_errors']} errors, {facts['num_leaked']} leaked)"
    )
    for one in facts["unfilled"][:1]:
        print(
            f"warning: {facts['num_unfilled']:,} examples contain an unfilled "
            f"placeholder, the first {one['place']} at {one['where']}; see {report}"
        )


if __name__ == "__main__":
    cli.stage(run)
