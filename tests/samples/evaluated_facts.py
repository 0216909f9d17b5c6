"""The facts of an evaluation, which a card and a page show."""

import dataclasses
from collections.abc import Sequence

import settings
from scored_predictions import CONFIG

from graft.config import ModelConfig, TaskConfig
from graft.evaluation.facts import Facts
from graft.evaluation.requirements import Requirements
from graft.evaluation.scoring import score
from graft.inference.generated import Generated
from graft.inference.results import Decoding, GenerationCost, Latency
from graft.metrics import get_metrics
from graft.models.adapter_record import AdapterRecord
from graft.records import Prediction

TASK = TaskConfig(
    name="translation",
    languages={"source": "en", "target": "fr"},
    expected_languages={},
)
GENERATION = settings.GENERATION.model_copy(
    update={"stop": ["\n"], "max_new_tokens": 64}
)
METRIC_NAMES = ("bleu", "chrf", "bleu_1")
MODEL = ModelConfig(
    path="mistralai/Mistral-7B-v0.3",
    revision="0" * 40,
    tokenizer=None,
    num_parameters=7_000_000_000,
    dtype="bfloat16",
    license="apache-2.0",
)
LATENCY = Latency(5, 120.0, 180.0, 30.0, 40.0)
STAGES = {
    "convert": {"rows_in": 50, "kept": 48, "rejected": {"empty field": 2}},
    "preprocess": {"rows_in": 48, "kept": 47, "rejected": {"duplicate": 1, "x": 0}},
    "tokenize": {"counts": {"examples": 47, "sequences": 47, "truncated": 3}},
    "split": {
        "counts": {"train": 40, "validation": 3, "test": 4, "paraphrases_left_out": 0}
    },
    "train": {"num_steps": 1234, "validation_loss": 0.25, "num_tokens_seen": 56_789},
}
DATA = {
    "name": "sample",
    "format": "jsonl",
    "root": "data/sample",
    "hub_id": None,
    "license": None,
}
RECORD = AdapterRecord(
    base_path=MODEL.path,
    base_revision=MODEL.revision,
    template_hash="abc123",
    run_id="run77",
    params={
        "data": DATA,
        "tokenize": {"max_seq_len": 512},
        "adapter": {"method": "lora", "rank": 16},
        "quantization": {"method": "nf4"},
        "train": {"learning_rate": 0.005, "max_steps": None},
    },
    machine={"device": "an older device", "memory_gib": 7.25, "seconds": 61.0},
)


def with_params(facts: Facts, **sections: object) -> Facts:
    """The facts of a training with other parameters."""
    record = dataclasses.replace(facts.record, params={**facts.params, **sections})
    return dataclasses.replace(facts, record=record)


def make_generated(rows: list[Prediction]) -> Generated:
    """Predictions with what their generation cost."""
    cost = GenerationCost(num_tokens=400, seconds=2.0, prompt_ms=150.0)
    return Generated(
        predictions=rows,
        adapter="def456",
        decoding=Decoding.of(GENERATION),
        costs={"base": cost, "tuned": cost},
        latency={"base": LATENCY, "tuned": LATENCY},
        device="a device",
        memory_gib=1.5,
        rss_gib=2.5,
        versions={"torch": "9.9"},
        prompt="<s>English: hello",
    )


def make_facts(
    rows: list[Prediction],
    task: TaskConfig = TASK,
    metrics: Sequence[str] = METRIC_NAMES,
    **changes: object,
) -> Facts:
    """The facts of these predictions; keywords change them."""
    facts = Facts(
        name=f"graft-{task.name}",
        task=task,
        model=MODEL,
        data=DATA,
        record=RECORD,
        counts={"train": 18_000, "validation": 500, "test": len(rows)},
        digests={"prompt template": "abc123", "adapter": "def456"},
        scores=score(rows, get_metrics(metrics), CONFIG),
        settings={"evaluate.seed": 1},
        requirements=Requirements(()),
        samples=rows[:3],
        stages=STAGES,
        generated=make_generated(rows),
        links={"MLflow run": "run77"},
        curves={},
    )
    return dataclasses.replace(facts, **changes)
