import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from tiny_pipeline import PAIRS, make_adapter, make_base, make_params, make_splits

from graft.config.params import Params
from graft.evaluation.facts import EvaluationInputs, collect_facts
from graft.evaluation.outputs import (
    log_outputs,
    to_columns,
    to_summary,
    version_tags,
    write_outputs,
)
from graft.evaluation.verdicts import comparison_digits, with_interval
from graft.evaluation.version_page import to_description
from graft.hardware.machine import device_name
from graft.inference.examples import read_examples
from graft.inference.generate import GenerationPlan, generate, plan_passes
from graft.inference.generated import Generated, write_generated
from graft.inference.run_journal import RunJournal
from graft.io import digest_files, read_table
from graft.models.adapter_record import read_record, weights_digest
from graft.prompts import load_template
from graft.records import PREDICTION_SCHEMA
from graft.training.adapter import load_adapter
from graft.training.base import load_base

PARAMS = Path(__file__).parents[2] / "params.yaml"
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")


class Notes:
    """A tracking run that keeps what is logged."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.params: dict[str, Any] = {}
        self.artifacts: list[str] = []
        self.tables: list[str] = []

    def log_metrics(self, metrics: dict[str, float]) -> None:
        self.metrics |= metrics

    def log_artifact(self, path: Path, folder: str = "") -> None:
        assert path.exists()
        self.artifacts.append(f"{folder}/{path.name}")

    def record(self, kind: str, values: dict[str, Any]) -> None:
        assert kind == "params"
        self.params = values

    def set_tags(self, tags: dict[str, str]) -> None:
        assert tags

    def mark_tables(self, paths: list[str]) -> None:
        self.tables = paths


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Params]:
    root = tmp_path_factory.mktemp("line")
    make_base(root / "base")
    values = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    params = make_params(values, root / "base")
    make_adapter(params, root / "adapter")
    make_splits(root / "splits")
    return root, params


def evaluate(line: tuple[Path, Params], out: Path, **changes: Any) -> tuple[Any, Path]:
    """What the stages generate and evaluate do, without a tracking run."""
    root, params = line
    write_generated(out / "predictions", generate_with(line, **changes))
    (out / "convert.json").write_text('{"rows_in": 2, "kept": 2, "rejected": {}}')
    inputs = EvaluationInputs(
        out / "predictions",
        root / "splits",
        root / "adapter",
        [out / "convert.json"],
        root / "curves",
    )
    facts = collect_facts(
        params.data,
        params.evaluate,
        params.model,
        params.registry,
        params.task,
        read_record(root / "adapter"),
        inputs,
        {"MLflow run": "http://store/run77"},
    )
    files = (out / name for name in ("evaluation", "report.json", "metrics.json"))
    write_outputs(*files, facts)
    return facts, out / "evaluation"


def generate_with(line: tuple[Path, Params], **changes: Any) -> Generated:
    root, params = line
    plan = GenerationPlan.of(params.generation)
    tune = changes.pop("tune", partial(load_adapter, folder=root / "adapter"))
    base = load_base(params.model, params.quantization, "cpu")
    with TemporaryDirectory() as journals:
        return generate(
            plan_passes(base, tune, plan.decoding, keeps_base=True),
            load_template(params.model, params.prompt),
            read_examples(root / "splits" / "test", None),
            plan,
            RunJournal(Path(journals) / "generate.jsonl", "run"),
            adapter=weights_digest(root / "adapter"),
            **changes,
        )


def test_an_evaluation_leaves_predictions_samples_card_and_report(line, tmp_path):
    facts, out = evaluate(line, tmp_path)
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "examples.json",
        "loss.svg",
        "report.html",
        "samples.json",
    ]
    table = read_table(tmp_path / "predictions" / "table")
    assert table.schema.equals(PREDICTION_SCHEMA)
    assert table["prompt"].to_pylist() == [english for english, _ in PAIRS]
    assert table["references"].to_pylist() == [[french] for _, french in PAIRS]
    assert table["base"].to_pylist() != table["tuned"].to_pylist()
    samples = json.loads((out / "samples.json").read_text(encoding="utf-8"))
    assert samples == table.to_pylist()
    examples = json.loads((out / "examples.json").read_text(encoding="utf-8"))
    texts = zip(*(table[name].to_pylist() for name in ("prompt", "tuned")), strict=True)
    assert [(row[0], row[1]) for row in examples["data"]] == list(texts)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert facts.digests["test split"] in card
    assert "English: The cat sleeps.\nFrench:" in card
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "http://store/run77" in card and "http://store/run77" in page
    assert "| device | a device |" in card
    assert facts.counts == {"train": 2, "validation": 2, "test": 2}


def test_experiments_have_few_columns_that_name_what_they_are(line, tmp_path):
    facts, _ = evaluate(line, tmp_path)
    shown = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    first = line[1].evaluate.metrics[0]
    assert shown["tuned"] == report["tuned"] and first in shown["tuned"]
    assert shown["base"] == {first: report["base"][first]}
    assert shown["difference"] == {first: report["difference"][first]}
    assert shown["examples"] == {"train": 2, "validation": 2, "test": 2}
    assert shown["rejects"] == 0 and shown["tokens_per_s"] > 0
    assert shown["requirements"] == facts.requirements.status
    assert len(shown) == 7, "every one is a column of each experiment"
    stages = {
        "convert": {"num_rejected": 3},
        "tokenize": {"counts": {"sequences": 1, "rejects": 1}},
        "train": {"validation_loss": 0.5},
    }
    assert to_columns(replace(facts, stages=stages))["rejects"] == 4


def test_a_description_has_intervals_and_each_requirement(line, tmp_path):
    facts, _ = evaluate(line, tmp_path)
    text = to_description(facts)
    first = facts.scores.overall[line[1].evaluate.metrics[0]]
    assert f"**{with_interval(first.tuned, comparison_digits(first))}**" in text
    assert facts.requirements.failed
    for check in facts.requirements.checks:
        mark = "" if check.is_met else "**not met:** "
        assert f"- {mark}{check.sentence}" in text


def test_the_device_is_the_one_that_answered_though_the_base_is_freed(line, tmp_path):
    root, params = line

    def tune(base: Any) -> Any:
        """Like a model whose weights were all trained: the base's memory goes."""
        tuned = load_base(params.model, params.quantization, "cpu")
        base.to("meta")
        return load_adapter(tuned, folder=root / "adapter")

    asked = []

    def name_device(device: str) -> str:
        asked.append(device)
        return f"the name of {device}"

    facts, out = evaluate(
        line,
        tmp_path,
        tune=tune,
        name_device=name_device,
        peak_memory=lambda device: 3.25 if device == "cpu" else 0.0,
    )
    assert asked == ["cpu"]
    assert facts.generated.device == "the name of cpu"
    assert facts.generated.memory_gib == 3.25
    assert "the name of cpu" in (out / "README.md").read_text(encoding="utf-8")


def test_where_nothing_computes_is_no_cpu():
    with pytest.raises(ValueError, match="meta"):
        device_name("meta")


def test_two_evaluations_agree_to_the_byte_but_for_times(line, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    evaluate(line, tmp_path / "one")
    evaluate(line, tmp_path / "two")
    for name in ("report.json", "evaluation/samples.json", "evaluation/examples.json"):
        one, two = (tmp_path / part / name for part in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    tables = [tmp_path / part / "predictions/table" for part in ("one", "two")]
    assert digest_files(tables[0]) == digest_files(tables[1])


def test_the_run_gets_scores_speed_and_files_and_the_end_says_them(line, tmp_path):
    facts, out = evaluate(line, tmp_path)
    notes = Notes()
    folders = [tmp_path / "predictions", out]
    log_outputs(notes, folders, tmp_path / "report.json", facts)
    assert notes.tables == ["evaluation/examples.json"]
    systems, metrics = ("base", "tuned", "difference"), line[1].evaluate.metrics
    wanted = {f"{system}/{name}" for system in systems for name in metrics}
    assert wanted < set(notes.metrics)
    assert notes.metrics["tuned/tokens_per_s"] > 0
    assert notes.artifacts == ["reports/report.json", "/predictions", "/evaluation"]
    tags = version_tags(facts)
    assert tags["template_hash"] == facts.digests["prompt template"]
    assert tags["adapter.rank"] == str(line[1].adapter.rank)
    assert tags["requirements"] == "failed", "two examples, and random weights"
    assert tags["tuned.bleu"].startswith(
        f"{facts.scores.overall['bleu'].tuned.value:.0f}"
    )
    summary = to_summary(facts, "3", out)
    assert "base   BLEU" in summary and "tuned  BLEU" in summary
    assert "graft-translation version 3" in summary
    assert "not registered yet" in to_summary(facts, None, out)
