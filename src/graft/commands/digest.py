"""`graft digest`: the revision of a local model, a digest of its files."""

from pathlib import Path

from graft.models.files import model_digest


def run(folder: Path, /, *, json: bool = False) -> dict[str, str] | None:
    """Print the value of model.revision for the folder of a local model.

    Args:
        folder: model in Hugging Face Hub format.
        json: print one JSON document instead of text.
    """
    revision = model_digest(folder)
    if json:
        return {"path": str(folder), "revision": revision}
    print(revision)
    return None
