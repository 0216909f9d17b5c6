"""Atomic checkpoints, grouped by configuration.

`checkpoints/KEY/` belongs to one configuration and data set; KEY is their digest. It
has one folder per training, which contains a file `finished` once the result is
written. Each `step-000123/` in it is a checkpoint. It is written under another name,
synced and renamed, so a kill or a full disk leaves the previous one. Random state is
not saved: data order and dropout are derived from the seed and the step number.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft import io
from graft.training.saving import atomic_weights

FINISHED = "finished"


@dataclass(frozen=True)
class Progress:
    """The state of a training apart from tensors; `progress.json` of a checkpoint.

    `history` has one entry per logged or validated step, for the loss curve.
    `worse_in_a_row`: validations since the best one. `initial_loss`: of validation
    before the first step.
    """

    step: int
    num_tokens: int
    best_step: int
    best_loss: float
    worse_in_a_row: int
    history: list[dict[str, float]]
    initial_loss: float | None = None


def open_store(checkpoints: Path, key: str, kept: int) -> "CheckpointStore":
    """The store of the unfinished training to resume, or of a new one.

    Args:
        checkpoints: the folder of all configurations.
        key: digest of everything that affects the result.
        kept: how many checkpoints are kept besides the best.
    """
    before = sorted((checkpoints / key).glob("training-*"))
    if before and not (before[-1] / FINISHED).exists():
        return CheckpointStore(before[-1], kept)
    return CheckpointStore(checkpoints / key / f"training-{len(before):03d}", kept)


class CheckpointStore:
    """The checkpoints of one training: the last few, and the best one."""

    def __init__(self, folder: Path, kept: int) -> None:
        self.folder = folder
        self._kept = kept

    def save(
        self,
        progress: Progress,
        weights: Mapping[str, Any],
        optimizer: Mapping[str, Any],
    ) -> None:
        """Write a checkpoint, then remove those no longer needed.

        Raises: StorageError if it cannot be written; earlier ones are kept.
        """
        import torch
        from safetensors.torch import save_file

        with atomic_weights(self._of(progress.step)) as partial:
            partial.mkdir()
            save_file(dict(weights), partial / "weights.safetensors")
            with (partial / "optimizer.pt").open("wb") as file:
                torch.save(optimizer, file)
            io.write_json(partial / "progress.json", progress)
            _sync(partial)
        steps = self.steps()
        for step in steps[: -self._kept]:
            if step != progress.best_step:
                io.remove(self._of(step))

    def steps(self) -> list[int]:
        """Steps of the complete checkpoints, in ascending order."""
        return sorted(
            int(path.name.removeprefix("step-")) for path in self.folder.glob("step-*")
        )

    def load_last(self) -> tuple[Progress, dict[str, Any], dict[str, Any]] | None:
        """Progress, weights and optimizer state of the last checkpoint, if any."""
        import torch

        if not (steps := self.steps()):
            return None
        folder = self._of(steps[-1])
        progress = Progress(**io.read_json(folder / "progress.json"))
        optimizer = torch.load(
            folder / "optimizer.pt", map_location="cpu", weights_only=True
        )
        return progress, self.load_weights(steps[-1]), optimizer

    def load_weights(self, step: int) -> dict[str, Any]:
        """Trained weights by name, at a step."""
        from safetensors.torch import load_file

        return dict(load_file(self._of(step) / "weights.safetensors"))

    def finish(self) -> None:
        """Mark the training as finished, and remove its checkpoints."""
        io.write_text(self.folder / FINISHED, "")
        for step in self.steps():
            io.remove(self._of(step))

    def _of(self, step: int) -> Path:
        return self.folder / f"step-{step:06d}"


def _sync(folder: Path) -> None:
    """Flush the files to disk before the folder is renamed."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
