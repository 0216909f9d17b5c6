"""Outputs of stage generate for tests."""

from typing import Any

from graft.inference.generated import Generated
from graft.inference.results import Decoding, GenerationCost
from graft.records import Prediction

CPU = "CPU (x86_64, 2 threads)"


def make_prediction(name: str, tuned: str, **changes: Any) -> Prediction:
    """A prediction; keywords change its fields."""
    values: dict[str, Any] = {
        "stratum": "all",
        "prompt": "a prompt",
        "references": ["a reference"],
        "base": "a base answer",
        "base_nll": 2.0,
        "tuned_nll": 1.0,
    }
    return Prediction(id=name, tuned=tuned, **(values | changes))


def make_generated(*rows: Prediction, device: str = CPU) -> Generated:
    """Predictions with their costs."""
    cost = GenerationCost(num_tokens=1, seconds=1.0, prompt_ms=1.0)
    return Generated(
        predictions=list(rows),
        adapter="fedcba9876543210",
        decoding=Decoding(max_new_tokens=4),
        costs={"base": cost, "tuned": cost},
        latency={},
        device=device,
        memory_gib=0.0,
        rss_gib=0.0,
        versions={"torch": "2.13.0"},
        prompt="a prompt",
    )
