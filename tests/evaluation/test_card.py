import dataclasses

import pytest
from huggingface_hub import ModelCard
from test_scoring import CONFIG, predictions

from graft.config import ModelConfig, PromptConfig, TaskConfig
from graft.evaluation.card import to_card
from graft.evaluation.facts import Facts
from graft.evaluation.generation import Completions, Decoding
from graft.evaluation.latency import Latency
from graft.evaluation.machine import device_name, library_versions, peak_memory_gib
from graft.evaluation.scoring import score
from graft.metrics import METRICS, get_metrics

TASK = TaskConfig(
    name="translation",
    prompt=PromptConfig(
        style="pattern",
        pattern="{source}\n",
        system=None,
        paraphrases=[],
        num_paraphrases=0,
    ),
    learn="all",
    prompt_tokens=8,
    languages={"source": "en", "target": "fr"},
    stop=["\n"],
    max_new_tokens=64,
    metrics=list(METRICS),
)
MODEL = ModelConfig(
    path="mistralai/Mistral-7B-v0.3",
    revision="0" * 40,
    tokenizer=None,
    num_parameters=7_000_000_000,
    dtype="bfloat16",
    license=None,
)


LATENCY = Latency(5, 120.0, 180.0, 30.0, 40.0)


@pytest.fixture
def facts() -> Facts:
    rows = predictions()
    cost = Completions(["x"] * 40, num_tokens=400, seconds=2.0, latency_ms=150.0)
    return Facts(
        name="graft-translation",
        task=TASK,
        model=MODEL,
        params={
            "data": {"name": "sample", "hub_id": None},
            "adapter": {"rank": 16},
            "quantization": {"method": "nf4"},
            "train": {"learning_rate": 0.005},
        },
        counts={"train": 18_000, "validation": 500, "test": 40},
        digests={"prompt template": "abc123", "adapter": "def456"},
        scores=score(rows, get_metrics(TASK.metrics), CONFIG),
        samples=rows[:3],
        decoding=Decoding.of(TASK, CONFIG),
        stages={},
        costs={"base": cost, "tuned": cost},
        latency={"base": LATENCY, "tuned": LATENCY},
        device="a device",
        memory_gib=1.5,
        rss_gib=2.5,
        versions={"torch": "9.9"},
        prompt="<s>English: hello",
        run_id="run77",
        links={"MLflow run": "run77"},
    )


def test_the_hubs_own_reader_finds_the_base_and_every_metric(facts: Facts):
    card = ModelCard(to_card(facts))
    assert card.data.base_model == MODEL.path
    assert card.data.library_name == "peft"
    assert card.data.language == ["en", "fr"]
    assert card.data.datasets == ["sample"]
    found = {result.metric_name: result for result in card.data.eval_results}
    assert set(found) == {metric.title for metric in METRICS.values()}
    bleu = facts.scores.overall["bleu"].tuned
    assert found["BLEU"].metric_type == "sacrebleu"
    assert found["BLEU"].metric_value == pytest.approx(bleu.value, abs=0.01)


def test_a_reader_finds_results_data_parameters_samples_and_hashes(facts: Facts):
    card = to_card(facts)
    bleu = facts.scores.overall["bleu"].tuned
    for text in (
        f"**{bleu.value:.1f} [{bleu.low:.1f}, {bleu.high:.1f}]**",
        "| BLEU-1 |",
        "18,000 train",
        "| train.learning_rate | `0.005` |",
        facts.samples[0].references[0],
        bleu.signature,
        "abc123",
        "run77",
        "greedy decoding",
        'mlflow.pyfunc.load_model("models:/graft-translation@champion")',
        "merge it into a base loaded",
        "<s>English: hello",
        "| base | 200 | 150 |",
        "BLEU by stratum",
    ):
        assert text in card, text
    assert "None" not in card


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
