"""`graft digest`: the revision of a local model, a digest of its files."""

from pathlib import Path

from graft.models.files import model_digest


def run(folder: Path, /) -> None:
    """Print the value of model.revision for a local model.

    Args:
        folder: the model, in Hub format.
    """
    print(model_digest(folder))
