"""Stage `tokenize`: clean examples → token sequences with a loss mask."""

from pathlib import Path

from graft import cli, io
from graft.config import EngineConfig, ModelConfig, PromptConfig, TokenizeConfig
from graft.data.tokenize.report import TokenCounts, check_gate, to_page
from graft.data.tokenize.sequences import SequenceSettings
from graft.engine.local import open_engine
from graft.io.progress import track
from graft.models.files import check_fits, tokenizer_digests
from graft.records import REJECT_SCHEMA, SEQUENCE_SCHEMA
from graft.stages.encoding import Encoding


def run(
    model: ModelConfig,
    prompt: PromptConfig,
    tokenize: TokenizeConfig,
    engine: EngineConfig,
    examples: Path,
    gate: Path,
    out: Path,
    rejects: Path,
    report: Path,
    page: Path,
) -> None:
    """Encode every example with the prompt template; write the others as rejects."""
    check_gate(io.read_json(gate), str(gate))
    files = tokenizer_digests(model)
    encoding = Encoding(model, SequenceSettings(tokenize, prompt))
    template = encoding.template
    if (Path(model.path) / "config.json").is_file():  # train checks models of the Hub
        check_fits(model, template.vocab_size, tokenize.max_seq_len)
    total = io.num_rows(examples)
    counts = TokenCounts(tokenize)
    with (
        open_engine(engine) as workers,
        io.open_shards(rejects, REJECT_SCHEMA) as reject_shards,
    ):
        batches = io.read_batches(examples, batch_size=BATCH)
        tables = workers.map(encoding, batches)
        sequences = counts.count(tables, reject_shards.write)
        io.write_batches(out, track(sequences, "tokenize", total), SEQUENCE_SCHEMA)
    facts = {
        "template_hash": template.hash,
        "vocab_size": template.vocab_size,
        "tokenizer_files": files,
        **counts.to_report(),
    }
    io.write_json(report, facts)
    io.write_text(page, to_page(facts, counts.shown, template.show))
    print(counts.balance())


BATCH = 4096
"""Examples per batch; a long chat has thousands of tokens."""


if __name__ == "__main__":
    cli.stage(run)
