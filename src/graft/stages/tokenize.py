"""Stage `tokenize`: clean examples → token sequences with a learned mask."""

from functools import partial
from pathlib import Path

from graft import cli, io
from graft.config import EngineConfig, ModelConfig, TaskConfig, TokenizeConfig
from graft.data.tokenize.reach import Reach
from graft.data.tokenize.report import Tally, check_gate, to_page
from graft.data.tokenize.sequences import Rules
from graft.engine.local import open_engine
from graft.io.progress import track
from graft.models.files import check_fits, tokenizer_digests
from graft.records import REJECT_SCHEMA, SEQUENCE_SCHEMA
from graft.stages.encoding import encode, template_of


def run(
    model: ModelConfig,
    task: TaskConfig,
    tokenize: TokenizeConfig,
    engine: EngineConfig,
    examples: Path,
    gate: Path,
    out: Path,
    rejects: Path,
    report: Path,
    page: Path,
) -> None:
    """Encode every example by the one prompt template; count what cannot be."""
    check_gate(io.read_json(gate), str(gate))
    files = tokenizer_digests(model)
    template = template_of(model, task.prompt)
    if (Path(model.path) / "config.json").is_file():  # a hub's is asked for by train
        check_fits(model, template.vocab_size, tokenize.max_seq_len)
    rules = Rules(tokenize, task.learn, task.prompt)
    total = io.num_rows(examples)
    reach = Reach(task, tokenize.max_cut_answers, total)
    tally = Tally(tokenize)
    with (
        open_engine(engine) as workers,
        io.open_shards(rejects, REJECT_SCHEMA) as aside,
    ):
        work = partial(encode, model=model, rules=rules)
        outcomes = workers.map(
            work, reach.watch(io.read_batches(examples, batch_size=BATCH))
        )
        tables = track(
            tally.tables(reach.measured(outcomes), aside.write), "tokenize", total
        )
        io.write_batches(out, tables, SEQUENCE_SCHEMA)
    known = {
        "template_hash": template.hash,
        "vocab_size": template.vocab_size,
        "tokenizer_files": files,
    }
    facts = {**known, **tally.to_report(), **reach.to_report()}
    io.write_json(report, facts)
    io.write_text(page, to_page(facts, tally.shown, template))
    print(tally.balance(), *reach.warnings(), sep="\nwarning: ")


BATCH = 4096
"""Examples at a time: long chats have thousands of tokens each."""


if __name__ == "__main__":
    cli.stage(run)
