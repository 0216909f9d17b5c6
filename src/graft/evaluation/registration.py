"""What is registered with an adapter: tags, a key of the evaluation, and settings."""

import json
from dataclasses import asdict
from typing import Any

from graft import io
from graft.evaluation.facts import Facts
from graft.evaluation.numbers import comparison_digits, with_interval


def version_tags(facts: Facts) -> dict[str, str]:
    """Tags that identify a registered version: base, data, variant and scores."""
    adapter = facts.params["adapter"]
    shown = ["method"] if facts.is_full else ["method", "rank", "alpha"]
    tags = {
        "base": facts.digests["base model"],
        "template_hash": facts.digests["prompt template"],
        "data": str(facts.data["name"]),
        "requirements": facts.requirements.status,
        **{f"adapter.{key}": str(adapter[key]) for key in shown},
    }
    for name, found in facts.scores.overall.items():
        digits = comparison_digits(found)
        tags[f"tuned.{name}"] = with_interval(found.tuned, digits)
    return tags


def evaluation_key(facts: Facts) -> str:
    """A key that is equal for the same adapter and evaluation, whatever the
    requirements."""
    inputs = [
        dict(facts.digests),
        asdict(facts.generated.decoding),
        facts.scores.num_examples,
    ]
    return io.digest(json.dumps(inputs, sort_keys=True).encode())


def model_settings(facts: Facts) -> dict[str, Any]:
    """The settings with which the registered model generates: those evaluated."""
    return {"decoding": asdict(facts.generated.decoding)}
