"""Stage `tokenize`: clean examples → token sequences with a learned mask."""

from pathlib import Path

from graft import cli, io
from graft.config import ModelConfig, TaskConfig, TokenizeConfig
from graft.data.sequences import Rules
from graft.data.token_report import Tally, check_gate, to_page
from graft.models import check_fits
from graft.prompts import load_template
from graft.records import REJECT_SCHEMA, SEQUENCE_SCHEMA


def run(
    model: ModelConfig,
    task: TaskConfig,
    tokenize: TokenizeConfig,
    examples: Path,
    gate: Path,
    out: Path,
    rejects: Path,
    report: Path,
    page: Path,
) -> None:
    """Encode every example by the one prompt template; count what cannot be."""
    check_gate(io.read_json(gate), str(gate))
    template = load_template(model, task.prompt)
    if (Path(model.path) / "config.json").is_file():  # a hub's is asked for by train
        check_fits(model, template.vocab_size, tokenize.max_seq_len)
    tally = Tally(Rules(tokenize, task.learn, task.prompt))
    sequences = tally.encode(io.read_batches(examples), template)
    io.write_batches(out, sequences, SEQUENCE_SCHEMA)
    io.write_batches(rejects, [tally.reject_table()], REJECT_SCHEMA)
    known = {"template_hash": template.hash, "vocab_size": template.vocab_size}
    facts = {**known, **tally.to_report()}
    io.write_json(report, facts)
    io.write_text(page, to_page(facts, tally.shown, template))
    print(tally.balance())


if __name__ == "__main__":
    cli.stage(run)
