"""All that a model card says, gathered before it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graft.config import ModelConfig, TaskConfig
from graft.evaluation.curves import Curves
from graft.evaluation.generation import Completions, Decoding
from graft.evaluation.latency import Latency
from graft.evaluation.requirements import Requirements
from graft.evaluation.scoring import Prediction, Scores


@dataclass(frozen=True)
class Facts:
    """What was trained, on what, how well it does, and on which grounds.

    Args:
        name: of the registered model.
        params: params.yaml as the adapter was trained with, by section.
        counts: examples of each split.
        requirements: what had to be reached, and what was.
        digests: of what the scores rest on, by its name for readers.
        stages: reports of the data stages and of training, by stage.
        machine: that trained: device, memory_gib, seconds; empty if it is not known.
        costs: completions of base and tuned, for their speed.
        latency: of single prompts, base and tuned; empty if it was not measured.
        device: what the completions were made on.
        memory_gib: most memory of the device that this took.
        rss_gib: most of the machine's memory that this process took.
        versions: of the libraries.
        prompt: a whole prompt as the model reads it.
        run_id: the MLflow run, or empty.
        links: what to look at beside this, text → address or path.
        curves: losses of the training.
    """

    name: str
    task: TaskConfig
    model: ModelConfig
    params: Mapping[str, Any]
    counts: Mapping[str, int]
    digests: Mapping[str, str]
    scores: Scores
    requirements: Requirements
    samples: Sequence[Prediction]
    decoding: Decoding
    stages: Mapping[str, Any]
    machine: Mapping[str, Any]
    costs: Mapping[str, Completions]
    latency: Mapping[str, Latency]
    device: str
    memory_gib: float
    rss_gib: float
    versions: Mapping[str, str]
    prompt: str
    run_id: str
    links: Mapping[str, str]
    curves: Curves

    @property
    def is_whole(self) -> bool:
        """Whether all weights were trained, not an adapter."""
        return bool(self.params["adapter"]["method"] == "full")
