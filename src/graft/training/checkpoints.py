"""Checkpoints: whole or absent, and of one configuration each.

`checkpoints/KEY/` belongs to one configuration over one data set; KEY is their digest.
In it each training has a folder, which `finished` marks when its result is written.
In that `step-000123/` is a checkpoint. It is written under another name, synced, and
renamed, so a kill or a full disk leaves the one before it. Nothing random is kept:
data order and dropout follow from seed and step number.
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
    """How far training has come; what a checkpoint holds beside tensors.

    `history` has a line for each logged or evaluated step, for the loss curve.
    `initial_loss`: of validation before the first step.
    """

    step: int
    num_tokens: int
    best_step: int
    best_loss: float
    worse_in_a_row: int
    history: list[dict[str, float]]
    initial_loss: float | None = None


def open_store(checkpoints: Path, key: str, kept: int) -> "CheckpointStore":
    """The store of the training to go on with, or else of a new one.

    Args:
        checkpoints: the folder of all configurations.
        key: digest of all that decides the result.
        kept: how many checkpoints stay beside the best.
    """
    before = sorted((checkpoints / key).glob("training-*"))
    if before and not (before[-1] / FINISHED).exists():
        return CheckpointStore(before[-1], kept)
    return CheckpointStore(checkpoints / key / f"training-{len(before):03d}", kept)


class CheckpointStore:
    """The checkpoints of one training; keeps the last few, and the best one."""

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

        Raises: StorageError if it cannot be written; those before it stay.
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
        """Steps of the whole checkpoints, in ascending order."""
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
        """Trained weights by name, as of a step."""
        from safetensors.torch import load_file

        return dict(load_file(self._of(step) / "weights.safetensors"))

    def finish(self) -> None:
        """Remove every checkpoint: training is done, and its result is written."""
        io.write_text(self.folder / FINISHED, "")
        for step in self.steps():
            io.remove(self._of(step))

    def _of(self, step: int) -> Path:
        return self.folder / f"step-{step:06d}"


def _sync(folder: Path) -> None:
    """Make the files' content durable before the folder gets its name."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
