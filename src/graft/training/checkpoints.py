"""Atomic checkpoints, grouped by configuration.

`checkpoints/KEY/` belongs to one configuration and data set; KEY is their digest. It
has one folder per training, which contains a file `finished` once the result is
written. Each `step-000123/` in it is a checkpoint. It is written under another name,
synced and renamed, so a kill or a full disk leaves the previous one. Random state is
not saved: data order and dropout are derived from the seed and the step number. All
files are JSON or safetensors, so that a checkpoint from elsewhere can run no code.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from graft import io
from graft.training.nested import from_outline, to_outline
from graft.training.saving import atomic_weights
from graft.training.uploads import Uploads

FINISHED = "finished"
_SHARD_BYTES = 2**30  # of the optimizer state; as much host memory is needed for it


@dataclass(frozen=True)
class Progress:
    """The state of a training apart from tensors; `progress.json` of a checkpoint.

    `history` has one entry per logged or validated step, for the loss curve.
    `worse_in_a_row`: validations since the best one. `initial_loss`: of validation
    before the first step. `unlogged`: measurements of the steps since the last logged
    one, without which no step between two logged ones could be resumed exactly.
    """

    step: int
    num_tokens: int
    best_step: int
    best_loss: float
    worse_in_a_row: int
    history: list[dict[str, float]]
    initial_loss: float | None = None
    unlogged: list[dict[str, Any]] = field(default_factory=list)


class CheckpointStore:
    """The checkpoints of one training: the last few, and the best one.

    Args:
        folder: of this training.
        kept: how many checkpoints are kept besides the best.
        uploads: copies each checkpoint to a remote; None: there are no copies.
    """

    def __init__(self, folder: Path, kept: int, uploads: Uploads | None = None) -> None:
        self.folder = folder
        self._kept, self._uploads = kept, uploads

    def save(
        self,
        progress: Progress,
        weights: Mapping[str, Any],
        optimizer: Mapping[str, Any],
    ) -> None:
        """Write a checkpoint, then remove those no longer needed.

        Raises: StorageError if it cannot be written; earlier ones are kept.
        """
        from safetensors.torch import save_file

        outline, tensors = to_outline(optimizer)
        with atomic_weights(self._of(progress.step)) as partial:
            partial.mkdir()
            save_file(dict(weights), partial / "weights.safetensors")
            io.write_json(partial / "optimizer.json", outline)
            for number, shard in enumerate(_shards(tensors)):
                save_file(shard, partial / f"optimizer-{number:05d}.safetensors")
            io.write_json(partial / "progress.json", progress)
            for path in self.folder.glob("journal*.json*"):
                shutil.copy(path, partial)  # so that a copy elsewhere is complete
            _sync(partial)
        needed = {progress.step, progress.best_step}
        needed |= self._uploads.pinned() if self._uploads else set()
        for step in self.steps()[: -self._kept]:
            if step not in needed:
                io.remove(self._of(step))
        if self._uploads:
            self._uploads.add(progress.step, progress.best_step)

    def steps(self) -> list[int]:
        """Steps of the complete checkpoints, in ascending order."""
        found = self.folder.glob("step-*/optimizer.json")
        return sorted(int(path.parent.name.removeprefix("step-")) for path in found)

    def load_last(self) -> tuple[Progress, dict[str, Any], dict[str, Any]] | None:
        """Progress, weights and optimizer state of the last checkpoint, if any."""
        from safetensors.torch import load_file

        if not (steps := self.steps()):
            return None
        folder = self._of(steps[-1])
        progress = Progress(**io.read_json(folder / "progress.json"))
        shards = sorted(folder.glob("optimizer-*.safetensors"))
        tensors = {name: t for path in shards for name, t in load_file(path).items()}
        outline = io.read_json(folder / "optimizer.json")
        optimizer = from_outline(outline, lambda number: tensors[str(number)])
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
        if self._uploads:
            self._uploads.finish()

    def close(self) -> None:
        """Wait for the copy of the last checkpoint, up to a bound."""
        if self._uploads:
            self._uploads.wait()

    def _of(self, step: int) -> Path:
        return self.folder / f"step-{step:06d}"


def _shards(tensors: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The tensors by their numbers, on the CPU, in parts of limited size."""
    shard: dict[str, Any] = {}
    for number, tensor in zip(count(), tensors):
        if shard and sum(t.nbytes for t in shard.values()) >= _SHARD_BYTES:
            yield shard
            shard = {}
        # A copy, since safetensors refuses tensors that share memory.
        shard[str(number)] = tensor.detach().to("cpu", copy=True).contiguous()
    if shard:
        yield shard


def _sync(folder: Path) -> None:
    """Flush the files to disk before the folder is renamed."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
