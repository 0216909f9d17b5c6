"""The contents of the model card and the report page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config import ModelConfig, TaskConfig
from graft.evaluation.curves import Curves
from graft.evaluation.requirements import Requirements
from graft.evaluation.scoring import Scores
from graft.inference.generate import Generated
from graft.io import digest_files
from graft.models.adapter_record import AdapterRecord
from graft.records import Prediction


@dataclass(frozen=True)
class Facts:
    """Training, data, scores and provenance of an adapter.

    Args:
        name: of the registered model.
        record: record of the adapter's training.
        counts: examples of each split.
        digests: digests of everything that the scores depend on, by display name.
        requirements: requirements on the scores, and whether they are met.
        samples: predictions that are shown completely.
        stages: reports of the data stages and of training, by stage.
        generated: outputs and costs of both models.
        links: related pages and files, text → address or path.
        curves: losses of the training.
    """

    name: str
    task: TaskConfig
    model: ModelConfig
    record: AdapterRecord
    counts: Mapping[str, int]
    digests: Mapping[str, str]
    scores: Scores
    requirements: Requirements
    samples: Sequence[Prediction]
    stages: Mapping[str, Any]
    generated: Generated
    links: Mapping[str, str]
    curves: Curves

    @property
    def params(self) -> Mapping[str, Any]:
        """The params.yaml of the adapter's training, by section."""
        return self.record.params

    @property
    def is_full(self) -> bool:
        """Whether it is a full fine-tuning, not an adapter."""
        return bool(self.params["adapter"]["method"] == "full")


def to_digests(record: AdapterRecord, adapter: Path, splits: Path) -> dict[str, str]:
    """Digests of everything that the scores depend on, by display name."""
    return {
        "base model": f"{record.base_path}@{record.base_revision}",
        "prompt template": record.template_hash,
        "adapter": digest_files(adapter, ["*.safetensors"]),
        "train split": digest_files(splits / "train", ["*.parquet"]),
        "test split": digest_files(splits / "test", ["*.parquet"]),
    }
