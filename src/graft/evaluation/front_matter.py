"""The part of a model card that machines read, in the form of the Hugging Face hub.

Source: https://huggingface.co/docs/hub/model-cards.
"""

from typing import Any

from graft.evaluation.facts import Facts
from graft.evaluation.scoring import DIGITS
from graft.metrics import METRICS
from graft.records import Score

PIPELINES = {"translation": "translation", "question_answering": "question-answering"}
"""The hub's name of a task; every other one is text-generation."""
HUB_METRICS = {"bleu": "sacrebleu"}
"""The hub's name of a metric; otherwise what stands before ours' underscore."""


def to_front_matter(facts: Facts) -> dict[str, Any]:
    """The card's metadata: base model, data, and results as a model index."""
    pipeline = PIPELINES.get(facts.task.name, "text-generation")
    data = facts.params.get("data", {})
    dataset = str(data.get("hub_id") or data.get("name") or "data")
    return {
        "base_model": facts.model.path,
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": pipeline,
        "language": sorted(set(facts.task.languages.values())),
        "datasets": [dataset],
        "metrics": sorted({_hub_metric(name) for name in facts.scores.overall}),
        "tags": ["graft", "lora"],
        "model-index": [
            {
                "name": facts.name,
                "results": [
                    {
                        "task": {"type": pipeline},
                        "dataset": {"name": dataset, "type": dataset, "split": "test"},
                        "metrics": [
                            _index_entry(name, found.tuned)
                            for name, found in facts.scores.overall.items()
                        ],
                    }
                ],
            }
        ],
    }


def _hub_metric(name: str) -> str:
    return HUB_METRICS.get(name, name.partition("_")[0])


def _index_entry(name: str, score: Score) -> dict[str, Any]:
    return {
        "type": _hub_metric(name),
        "name": METRICS[name].title,
        "value": round(score.value, DIGITS),
        "args": {
            "interval_95": [round(score.low, DIGITS), round(score.high, DIGITS)],
            "signature": score.signature,
        },
    }
