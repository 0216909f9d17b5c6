"""All that a model card says, gathered before it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graft.config import ModelConfig, TaskConfig
from graft.evaluation.generation import Completions, Decoding
from graft.evaluation.scoring import Prediction, Scores


@dataclass(frozen=True)
class Facts:
    """What was trained, on what, how well it does, and on which grounds.

    Args:
        name: of the registered model.
        params: params.yaml as the adapter was trained with, by section.
        counts: examples of each split.
        digests: of what the scores rest on, by its name for readers.
        costs: completions of base and tuned, for their speed.
        device: what the completions were made on.
        memory_gib: most memory that this took.
        versions: of the libraries.
        prompt: a whole prompt as the model reads it.
        run_id: the MLflow run, or empty.
    """

    name: str
    task: TaskConfig
    model: ModelConfig
    params: Mapping[str, Any]
    counts: Mapping[str, int]
    digests: Mapping[str, str]
    scores: Scores
    samples: Sequence[Prediction]
    decoding: Decoding
    costs: Mapping[str, Completions]
    device: str
    memory_gib: float
    versions: Mapping[str, str]
    prompt: str
    run_id: str
