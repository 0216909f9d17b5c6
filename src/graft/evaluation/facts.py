"""The contents of the model card and the report page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from graft.config import (
    DataConfig,
    EvaluateConfig,
    ModelConfig,
    RegistryConfig,
    TaskConfig,
)
from graft.errors import DataError
from graft.evaluation.curves import Curves, read_curves
from graft.evaluation.requirements import Requirements, check_requirements
from graft.evaluation.scoring import Scores, choose_samples, score
from graft.inference.generated import FIX, Generated, read_generated
from graft.inference.results import Decoding
from graft.io import digest_files, read_json
from graft.metrics import get_metrics
from graft.models.adapter_record import AdapterRecord, weights_digest
from graft.records import SPLITS, Prediction


@dataclass(frozen=True)
class EvaluationInputs:
    """Outputs of the stages before: `predictions` of generate, `reports` of all."""

    predictions: Path
    splits: Path
    adapter: Path
    reports: Sequence[Path]
    curves: Path


@dataclass(frozen=True)
class Facts:
    """Training, data, scores and provenance of an adapter.

    Args:
        name: of the registered model.
        data: the section `data`: as of training, with the current name and license.
        record: record of the adapter's training.
        counts: examples of each split.
        digests: digests of everything that the scores depend on, by display name.
        settings: parameters of generation and evaluation, by section.key.
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
    data: Mapping[str, Any]
    record: AdapterRecord
    counts: Mapping[str, int]
    digests: Mapping[str, str]
    scores: Scores
    settings: Mapping[str, Any]
    requirements: Requirements
    samples: Sequence[Prediction]
    stages: Mapping[str, Any]
    generated: Generated
    links: Mapping[str, str]
    curves: Curves

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the adapter's training, by section."""
        return self.record.params

    @property
    def is_full(self) -> bool:
        """Whether it is a full fine-tuning, not an adapter."""
        return bool(self.params["adapter"]["method"] == "full")


def collect_facts(
    data: DataConfig,
    evaluate: EvaluateConfig,
    model: ModelConfig,
    registry: RegistryConfig,
    task: TaskConfig,
    record: AdapterRecord,
    inputs: EvaluationInputs,
    links: Mapping[str, str],
) -> Facts:
    """Read the outputs of the stages before, and score the completions.

    Raises: DataError if the completions are those of another adapter.
    """
    metrics = get_metrics(evaluate.metrics)
    generated = read_generated(inputs.predictions)
    digests = to_digests(record, inputs.adapter, inputs.splits)
    if generated.adapter != digests["adapter"]:
        raise DataError(
            str(inputs.predictions),
            f"has completions of adapter {generated.adapter}, but {inputs.adapter} is "
            f"{digests['adapter']}",
            expected="completions of the adapter that is evaluated",
            fix=FIX,
        )
    scores = score(generated.predictions, metrics, evaluate)
    current = {"name": data.name, "license": data.license}
    return Facts(
        name=registry.name,
        task=task,
        model=model,
        data={**record.params["data"], **current},
        record=record,
        counts=count_splits(inputs.splits),
        digests=digests,
        scores=scores,
        settings=to_settings(evaluate, registry, generated.decoding),
        requirements=check_requirements(evaluate.requirements, scores),
        samples=choose_samples(generated.predictions, evaluate.num_samples),
        stages={path.stem: read_json(path) for path in inputs.reports},
        generated=generated,
        links=links,
        curves=read_curves(inputs.curves),
    )


def to_settings(
    evaluate: EvaluateConfig, registry: RegistryConfig, decoding: Decoding
) -> dict[str, Any]:
    """The parameters that may differ from those of the training, by section.key."""
    sections = {
        "generation": asdict(decoding),
        "evaluate": evaluate.model_dump(mode="json"),
        "registry": registry.model_dump(mode="json", exclude={"promote", "gate"}),
    }
    return {
        f"{section}.{key}": value
        for section, values in sections.items()
        for key, value in values.items()
    }


def to_digests(record: AdapterRecord, adapter: Path, splits: Path) -> dict[str, str]:
    """Digests of everything that the scores depend on, by display name."""
    return {
        "base model": f"{record.base_path}@{record.base_revision}",
        "prompt template": record.template_hash,
        "adapter": weights_digest(adapter),
        "train split": digest_files(splits / "train", ["*.parquet"]),
        "test split": digest_files(splits / "test", ["*.parquet"]),
    }


def count_splits(splits: Path) -> dict[str, int]:
    """Number of examples per split, read from the Parquet footers."""
    return {
        split: sum(
            pq.read_metadata(shard).num_rows
            for shard in (splits / split).glob("part-*.parquet")
        )
        for split in SPLITS
    }
