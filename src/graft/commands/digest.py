"""Command `graft digest FOLDER`: the revision that names a local model's content."""

from pathlib import Path

from graft.models.files import model_digest


def run(folder: Path, /) -> None:
    """Print what model.revision must be for a local model.

    Args:
        folder: the model, in Hub format.
    """
    print(model_digest(folder))
