import dataclasses
import re
from pathlib import Path

import pytest
from evaluated_facts import DATA, MODEL, make_facts, with_params
from huggingface_hub import ModelCard
from scored_predictions import predictions

from graft.config.compose import compose_params
from graft.evaluation.card import to_card
from graft.evaluation.facts import Facts
from graft.evaluation.page import to_page
from graft.evaluation.scoring import to_report
from graft.hardware.machine import device_name, library_versions, peak_memory_gib
from graft.metrics import METRICS
from graft.records import Prediction

ROOT = Path(__file__).parents[2]


@pytest.fixture
def facts() -> Facts:
    return make_facts(predictions())


def test_a_model_of_its_own_is_not_called_an_adapter(facts: Facts) -> None:
    full = with_params(facts, adapter={"method": "full", "freeze_layers": 0})
    text = to_card(full)
    assert "A full fine-tuning of" in text and "PeftModel" not in text
    assert 'AutoModelForCausalLM.from_pretrained("models/adapter"' in text
    assert ModelCard(text).data.library_name == "transformers"


def likely(rows: list[Prediction]) -> list[Prediction]:
    measured = {"base_nll": 20.0, "tuned_nll": 10.0, "num_tokens": 10, "num_bytes": 40}
    return [dataclasses.replace(row, **measured) for row in rows]


@pytest.mark.parametrize("path", sorted((ROOT / "configs/task").glob("*.yaml")))
def test_every_task_has_a_card_that_the_hub_reads_with_the_reports_numbers(path):
    params = compose_params([f"task={path.stem}"], ROOT / "configs")
    rows = likely(predictions())
    facts = make_facts(rows, params.task, params.evaluate.metrics)
    text = to_card(facts)
    card, report = ModelCard(text), to_report(facts.scores)
    found = {result.metric_name: result for result in card.data.eval_results}
    assert {METRICS[name].title: value for name, value in report["tuned"].items()} == {
        title: result.metric_value for title, result in found.items()
    }
    for line in report["not_computed"]:
        name, reason = line.split(": ", 1)
        assert METRICS[name].title in text and reason in text
    page = to_page(facts)
    for name in report["tuned"]:
        (shown,) = re.findall(
            rf"^\| {re.escape(METRICS[name].title)} \|[^|]*\| \*\*(\S+) \[", text, re.M
        )
        assert shown in page


def test_the_hubs_own_reader_finds_base_licence_languages_and_tags(facts: Facts):
    card = ModelCard(to_card(facts))
    assert card.data.base_model == MODEL.path
    assert card.data.license == "apache-2.0"
    assert card.data.library_name == "peft"
    assert card.data.language == ["en", "fr"]
    assert card.data.datasets is None, "a local folder is no data set of the hub"
    assert card.data.pipeline_tag == "translation"
    bleu = next(r for r in card.data.eval_results if r.metric_name == "BLEU")
    assert bleu.metric_type == "sacrebleu" and bleu.dataset_name == "sample"


def test_a_hub_data_set_is_named_with_revision_and_licence(facts: Facts):
    hub = {
        "hub_id": "openai/gsm8k",
        "subset": "main",
        "revision": "e5",
        "license": "mit",
    }
    text = to_card(dataclasses.replace(facts, data={**DATA, **hub}))
    assert ModelCard(text).data.datasets == ["openai/gsm8k"]
    assert "`openai/gsm8k`, `main`, at revision `e5`" in text
    assert "Licence: mit." in text


def test_a_reader_finds_results_data_parameters_samples_and_hashes(facts: Facts):
    card = to_card(facts)
    bleu = facts.scores.overall["bleu"].tuned
    for text in (
        f"**{bleu.value:.1f} [{bleu.low:.1f}, {bleu.high:.1f}]**",
        "| BLEU-1 |",
        "18,000 train",
        "| convert | 50 | 48 | 2 empty field |",
        "| preprocess | 48 | 47 | 1 duplicate |",
        "| steps | 1,234 |",
        "| device | an older device |",
        "| train.learning_rate | `0.005` |",
        facts.samples[0].references[0],
        bleu.signature,
        "abc123",
        "run77",
        "greedy decoding",
        'mlflow.pyfunc.load_model("models:/graft-translation@challenger")',
        "merge it into a base loaded",
        "<s>English: hello",
        "| base | 200 | 150 |",
        "| tuned | 5 | 120 | 180 | 30 | 40 |",
        "BLEU by stratum",
        "Licence: not stated in configs/data",
    ):
        assert text in card, text


def test_nothing_is_blank_invented_or_python(facts: Facts):
    card = to_card(facts)
    for text in ("None", " nan", "| |", "|  |", "{}", "[]", "Undefined", "max_steps"):
        assert text not in card, text


def test_what_was_not_measured_has_no_heading(facts: Facts):
    bare = dataclasses.replace(
        facts,
        generated=dataclasses.replace(facts.generated, latency={}),
        record=dataclasses.replace(facts.record, machine={}),
        stages={},
        samples=[],
    )
    card = to_card(bare)
    for text in ("One prompt at a time", "## Samples", "| device |", "| stage |"):
        assert text not in card


def test_limits_name_what_is_not_significant_and_small_samples():
    rows = [
        dataclasses.replace(row, tuned=row.base, stratum="rare" if n < 3 else "common")
        for n, row in enumerate(predictions())
    ]
    counts = {"train": 9, "validation": 9, "test": 400}
    card = to_card(make_facts(rows, counts=counts))
    assert (
        "The difference between base and tuned is not significant in BLEU, chrF, "
        "BLEU-1." in card
    )
    assert "fewer than 10 test examples are not conclusive: rare." in card
    assert "Of 400 test examples, 40 were used." in card


def test_what_a_model_says_cannot_break_the_table(facts: Facts):
    odd = dataclasses.replace(facts.samples[0], base="a | b\n\n# c <b> " + "z" * 999)
    lines = to_card(dataclasses.replace(facts, samples=[odd])).splitlines()
    row = next(line for line in lines if "a \\| b" in line)
    assert "# c &lt;b>" in row and row.count(" | ") == 3 and row.endswith(" |")
    assert len(row) < 600


def test_device_memory_and_versions_are_those_of_this_machine():
    assert device_name("cpu").startswith("CPU")
    assert 0.01 < peak_memory_gib("cpu") < 1000
    assert library_versions()["torch"][0].isdigit()


def test_a_later_turn_is_shown_with_the_conversation_before_it(facts: Facts):
    turns = [
        {"role": "user", "content": "Who wrote it? " + "x" * 400},
        {"role": "assistant", "content": "Ann."},
    ]
    sample = dataclasses.replace(facts.samples[0], history=turns, prompt="When?")
    card = to_card(dataclasses.replace(facts, samples=[sample]))
    assert "user: Who wrote it?" in card and "assistant: Ann. → user: When? |" in card
    many = dataclasses.replace(sample, history=turns * 9)
    card = to_card(dataclasses.replace(facts, samples=[many]))
    assert "(15 earlier turns) → " in card and "→ user: When? |" in card
    rows = [sample, *predictions()[1:]]
    generated = dataclasses.replace(facts.generated, predictions=rows)
    page = to_page(dataclasses.replace(facts, generated=generated))
    assert "conversation before the prompt" in page and "Ann." in page
