"""The metadata of a model card, in the format of the Hugging Face Hub.

Source: https://huggingface.co/docs/hub/model-cards.
"""

import re
from typing import Any

from graft.config import ModelConfig
from graft.evaluation.facts import Facts
from graft.evaluation.scoring import DIGITS
from graft.metrics import METRICS
from graft.records import Score

PIPELINES = {"translation": "translation"}
"""The Hub's name of a task; all others are text-generation. The Hub's
question-answering means marking spans of a context, which is a different task."""
HUB_METRICS = {
    "bleu": "sacrebleu",
    **{f"bleu_{n}": "bleu" for n in (1, 2, 3, 4)},
    **{f"rouge_{n}": "rouge" for n in ("1", "2", "l")},
    "answer_match": "exact_match",
    "answer_f1": "f1",
    "final_answer": "accuracy",
}
"""The Hub's name of a metric, where it differs."""


def to_front_matter(facts: Facts) -> dict[str, Any]:
    """The card's metadata: base model, data, and results as a model index."""
    task = facts.task.name.replace("_", "-")
    pipeline = PIPELINES.get(facts.task.name, "text-generation")
    data = facts.data
    hub = of_hub(facts.model)
    relation = "finetune" if facts.is_full else "adapter"
    dataset = str(data.get("hub_id") or data["name"])
    stated = {
        "license": facts.model.license,
        "base_model": facts.model.path if hub else None,
        "base_model_relation": relation if hub else None,
        "datasets": [data["hub_id"]] if data.get("hub_id") else None,
    }
    return {
        **{key: value for key, value in stated.items() if value},
        "library_name": "transformers" if facts.is_full else "peft",
        "pipeline_tag": pipeline,
        "language": sorted(set(facts.task.languages.values())),
        "metrics": sorted({_hub_metric(name) for name in facts.scores.overall}),
        "tags": ["graft", "full" if facts.is_full else "lora", task],
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


def of_hub(model: ModelConfig) -> bool:
    """Whether the base is on the Hub; the revision of a folder is a digest of 16
    digits.

    A path like models/base would otherwise be taken for the id of another model.
    """
    return re.fullmatch(r"[0-9a-f]{40}", model.revision) is not None


def _hub_metric(name: str) -> str:
    return HUB_METRICS.get(name, name)


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
