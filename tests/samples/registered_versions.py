"""Registered versions with predictions in any tracking store, without a training."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import pyarrow as pa

from graft import io
from graft.config import EvaluateConfig, GateConfig, GatedRegistryConfig
from graft.evaluation.digests import digest_answers, digest_test_set
from graft.inference.generated import TABLE
from graft.records import PREDICTION_SCHEMA, Prediction

WORDS = "a quick brown fox jumps over lazy dogs while small birds sing".split()
EVALUATE = EvaluateConfig(
    metrics=["bleu"], num_resamples=100, num_samples=1, seed=1, requirements=None
)
GATE = GateConfig(
    metric=None,
    min_gain=0.0,
    guardrails={},
    max_attempts=20,
    max_latency_ratio=1.5,
    max_memory_ratio=1.2,
    require_certificate=False,
    num_resamples=20_000,
)


def registry_at(uri: str, **gate: Any) -> GatedRegistryConfig:
    """The section `registry` of a store."""
    return GatedRegistryConfig(
        name="model",
        experiment="graft",
        tracking_uri=uri,
        promote="auto",
        gate=GATE.model_copy(update=gate),
    )


def predict(share_wrong: float, number: int = 120, seed: int = 0) -> list[Prediction]:
    """Predictions of which a share is wrong, always for the same examples."""
    texts, errors = random.Random(5), random.Random(seed)
    rows = []
    for place in range(number):
        text = " ".join(texts.choices(WORDS, k=9))
        is_wrong = errors.random() < share_wrong
        answer = " ".join(WORDS[:3]) if is_wrong else text
        rows.append(
            Prediction(f"{place}", "all", f"say {text}", [text], "", tuned=answer)
        )
    return rows


class Registered:
    """A store with the experiment `graft` and the model `model`.

    Args:
        uri: of the store.
        folder: for artifacts, if the store writes files itself.
    """

    def __init__(self, uri: str, folder: Path) -> None:
        self.client: Any = mlflow.MlflowClient(uri, registry_uri=uri)
        place = None if uri.startswith("http") else (folder / "mlartifacts").as_uri()
        self._folder = folder
        self._experiment = self.client.create_experiment("graft", place)
        self.client.create_registered_model("model")

    def add(self, predictions: Sequence[Prediction], **tags: str) -> str:
        """Register a version with the alias challenger; returns its number."""
        run = self.client.create_run(self._experiment, tags={"device": "cpu"})
        run_id = run.info.run_id
        self.client.log_metric(run_id, "tuned/latency_p95_ms", 10.0)
        self.client.log_metric(run_id, "evaluate/memory_gib", 1.0)
        if predictions:
            out = self._folder / "predictions"
            io.remove(out)
            rows = pa.Table.from_pylist(
                [vars(row) for row in predictions], schema=PREDICTION_SCHEMA
            )
            io.write_batches(out / TABLE, [rows], PREDICTION_SCHEMA)
            self.client.log_artifacts(run_id, str(out), "predictions")
            tags["test_set"] = digest_test_set(predictions)
            tags["answers"] = digest_answers(predictions)
        tags = {"requirements": "passed", "template_hash": "abc", **tags}
        found = self.client.create_model_version(
            "model", f"{run.info.artifact_uri}/adapter", run_id, tags
        )
        self.client.set_registered_model_alias("model", "challenger", found.version)
        return str(found.version)

    @property
    def champion(self) -> str | None:
        """The version with the alias champion."""
        aliases = self.client.get_registered_model("model").aliases
        return str(aliases["champion"]) if "champion" in aliases else None

    def tags(self, version: str) -> dict[str, str]:
        """The tags of a version."""
        return dict(self.client.get_model_version("model", version).tags)

    def models(self) -> list[str]:
        """The names of all registered models."""
        return [one.name for one in self.client.search_registered_models()]
