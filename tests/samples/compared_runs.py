"""Runs of one model in a tracking store, as the stages log them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from echo_model import ECHO_MODEL

from graft import io, tracking
from graft.config import RegistryConfig
from graft.records import PREDICTION_SCHEMA, Prediction

METRICS = ["answer_f1", "answer_match"]


def write_predictions(folder: Path, num_right: int, number: int = 60) -> None:
    """As stage generate leaves them."""
    rows = [
        Prediction(
            id=f"{i}",
            stratum="en",
            prompt=f"what is {i}",
            references=[f"number {i}"],
            base="no",
            tuned=f"number {i}" if i < num_right else "something",
        )
        for i in range(number)
    ]
    table = pa.Table.from_pylist([asdict(row) for row in rows], PREDICTION_SCHEMA)
    io.write_batches(folder / "table", [table], PREDICTION_SCHEMA)


class Runs:
    """Logs runs to a store; their files lie in a folder."""

    def __init__(
        self, registry: RegistryConfig, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._registry = registry
        self._folder = folder
        self._monkeypatch = monkeypatch

    def log(
        self,
        name: str,
        rank: int,
        num_right: int | None,
        registered: bool = True,
        requirements: str = "passed",
        **more: Any,
    ) -> str | None:
        """Log a run; None as `num_right` is one never measured. Returns: the version
        that it registers."""
        self._monkeypatch.setenv("DVC_EXP_NAME", name)  # as `dvc queue start` does
        place = self._folder / name
        (place / "adapter").mkdir(parents=True)
        (place / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")
        (place / "served.py").write_text(ECHO_MODEL)
        with tracking.start_run(self._registry, place / "run.jsonl") as run:
            values = {"registry.name": self._registry.name, "adapter.rank": rank}
            run.log_params(values | {"evaluate.metrics": METRICS, "train.seed": 42})
            if num_right is None:
                return None
            write_predictions(place / "predictions", num_right, **more)
            run.log_metrics({"tuned/answer_f1": 1.0, "tuned/tokens_per_s": 321.0})
            run.log_artifact(place / "predictions")
            if not registered:
                return None
            return tracking.register_adapter(
                run,
                self._registry,
                place / "adapter",
                code=place / "served.py",
                settings={},
                tags={"base": "b", "requirements": requirements},
            )
