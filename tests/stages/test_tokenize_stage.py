"""The tokenize stage as a whole, on a small tokenizer made here."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from settings import PROMPT

from graft import io
from graft.config import (
    EngineConfig,
    ModelConfig,
    PromptConfig,
    TokenizeConfig,
)
from graft.data.tokenize.report import check_gate
from graft.errors import DataError
from graft.models.files import tokenizer_digests
from graft.prompts import load_template
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA, SEQUENCE_SCHEMA
from graft.stages.tokenize import run

LIMITS = TokenizeConfig(
    max_seq_len=64, overlong="drop", overlap=0, trained_answers="all", num_shown=2
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Examples, a passed gate and a model's tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["The cat sleeps. Le chat dort."], trainer)
    (tmp_path / "model").mkdir()
    tokenizer.save(str(tmp_path / "model" / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    io.write_json(tmp_path / "model" / "tokenizer_config.json", names)
    (tmp_path / "model" / "chat_template.jinja").write_text(
        "{% for m in messages %}<s>{{ m.content }}</s>{% endfor %}"
        "{% if add_generation_prompt %}<s>{% endif %}"
    )
    io.write_json(tmp_path / "gate.json", {"passed": True})
    io.write_batches(tmp_path / "examples", [examples()], EXAMPLE_SCHEMA)
    return tmp_path


def examples() -> pa.Table:
    pairs = [
        ("The cat sleeps.", "Le chat dort."),
        ("word " * 99, "mot"),
        ("é\n👍", "œ"),
    ]
    rows = [
        {
            "id": f"id{number}",
            "messages": [
                {"role": "user", "content": source},
                {"role": "assistant", "content": target},
            ],
            "references": ["other"],
            "group": str(number),
            "stratum": "s",
            "split": "test" if number else None,
            "where": f"pairs.jsonl:{number + 1}",
        }
        for number, (source, target) in enumerate(pairs)
    ]
    return pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)


def model(folder: Path) -> ModelConfig:
    return ModelConfig(
        path=str(folder / "model"),
        revision="0",
        tokenizer=None,
        num_parameters=1,
        dtype="bfloat16",
        license=None,
    )


def prompt() -> PromptConfig:
    return PROMPT.model_copy(update={"pattern": "English: {source}\nFrench:"})


def tokenize(folder: Path) -> None:
    run(
        model(folder),
        prompt(),
        LIMITS,
        EngineConfig(name="local", cluster=None),
        examples=folder / "examples",
        gate=folder / "gate.json",
        out=folder / "out",
        rejects=folder / "rejects",
        report=folder / "report.json",
        page=folder / "page.md",
    )


def test_examples_become_sequences_with_their_other_columns_unchanged(
    folder: Path,
) -> None:
    tokenize(folder)
    table = io.read_table(folder / "out")
    assert table.schema.equals(SEQUENCE_SCHEMA)
    kept = examples().take([0, 2])
    assert table.select(EXAMPLE_SCHEMA.names).equals(kept)
    template = load_template(model(folder), prompt())
    encoded = template.encode(kept["messages"].to_pylist())
    assert table["input_ids"].to_pylist() == [one.input_ids for one in encoded]
    assert table["loss_mask"].to_pylist() == [one.loss_mask for one in encoded]


def test_rejects_and_report_contain_what_was_left_out(folder: Path) -> None:
    tokenize(folder)
    rejects = io.read_table(folder / "rejects")
    assert rejects.schema.equals(REJECT_SCHEMA)
    assert rejects["where"].to_pylist() == ["pairs.jsonl:2"]
    report = io.read_json(folder / "report.json")
    template = load_template(model(folder), prompt())
    assert report["template_hash"] == template.hash
    assert report["balance"] == "3 examples = 2 sequences + 1 rejects"
    assert report["vocab_size"] == template.vocab_size
    assert report["tokenizer_files"] == tokenizer_digests(model(folder))
    page = (folder / "page.md").read_text()
    assert "<s>English: The cat sleeps.\nFrench:⟦ Le chat dort.</s>⟧" in page


def test_the_same_examples_give_the_same_bytes(folder: Path) -> None:
    tokenize(folder)
    files = [folder / "report.json", folder / "page.md", *folder.glob("out/*")]
    before = [file.read_bytes() for file in files]
    tokenize(folder)
    assert [file.read_bytes() for file in files] == before
    assert str(folder) not in (folder / "report.json").read_text()


def test_nothing_is_written_after_a_failed_validation(folder: Path) -> None:
    io.write_json(folder / "gate.json", {"passed": False})
    with pytest.raises(DataError, match="did not pass"):
        tokenize(folder)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("tokenizer", "style"),
    [(None, "pattern"), (None, "chat"), ("mistral-common:v3", "chat")],
)
def test_tokenizing_never_imports_torch(
    folder: Path, tokenizer: str | None, style: str
) -> None:
    program = f"""
import sys
import graft.stages.tokenize
from graft.config import ModelConfig, PromptConfig
from graft.prompts import load_template
model = ModelConfig(path={str(folder / "model")!r}, revision="0",
                    tokenizer={tokenizer!r}, num_parameters=1, dtype="bfloat16", license=None)
pattern = "{{source}}:" if {style!r} == "pattern" else None
template = load_template(
    model, PromptConfig(style={style!r}, pattern=pattern, system=None,
        paraphrases=[], num_paraphrases=0, date=None))
template.encode_prompt([{{"role": "user", "content": "x"}}])
print([name for name in ("torch", "mlflow", "datasets") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.replace("'", '"')) == []


def test_a_failed_gate_stops_the_pipeline() -> None:
    check_gate({"passed": True}, "reports/validate.json")
    with pytest.raises(DataError, match="did not pass"):
        check_gate({"passed": False}, "reports/validate.json")
