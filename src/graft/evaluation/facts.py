"""All that the model card and the report page contain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config import ModelConfig, TaskConfig
from graft.evaluation.curves import Curves
from graft.evaluation.generate import Generated
from graft.evaluation.requirements import Requirements
from graft.evaluation.scoring import Prediction, Scores
from graft.io import digest_files
from graft.models.adapter_record import AdapterRecord


@dataclass(frozen=True)
class Facts:
    """What was trained, on which data, how well it performs, and what that rests on.

    Args:
        name: of the registered model.
        record: of the training that made the adapter.
        counts: examples of each split.
        digests: of what the scores rest on, by its name for readers.
        requirements: what the scores had to reach, and what they did.
        samples: predictions that are shown in full.
        stages: reports of the data stages and of training, by stage.
        generated: what both models generated, and what it took.
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
        """params.yaml as the adapter was trained with, by section."""
        return self.record.params

    @property
    def is_full(self) -> bool:
        """Whether all weights were trained, not an adapter."""
        return bool(self.params["adapter"]["method"] == "full")


def to_digests(record: AdapterRecord, adapter: Path, splits: Path) -> dict[str, str]:
    """Digests of what the scores rest on, by its name for readers."""
    return {
        "base model": f"{record.base_path}@{record.base_revision}",
        "prompt template": record.template_hash,
        "adapter": digest_files(adapter, ["*.safetensors"]),
        "train split": digest_files(splits / "train", ["*.parquet"]),
        "test split": digest_files(splits / "test", ["*.parquet"]),
    }
