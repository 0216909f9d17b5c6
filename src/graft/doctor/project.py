"""The project in this folder: its parameters, and the files of its base model."""

import json
from collections.abc import Callable
from pathlib import Path

from graft.config import ModelConfig
from graft.doctor.findings import Finding
from graft.errors import GraftError
from graft.models.files import check_revision

_INDEX = "model.safetensors.index.json"
_POINTER = b"version https://git-lfs"
_QUICKLY_READ = 2**30
"""Bytes of a model whose digest is computed within two seconds."""


def check_params(problem: GraftError | None, differing: list[str]) -> list[Finding]:
    """params.yaml: valid, and equal to what configs/ composes.

    Args:
        problem: why it is invalid, if it is.
        differing: keys whose values differ from configs/.
    """
    if problem is not None:
        text = f"{problem.where}: {problem.problem}"
        return [Finding("params.yaml", "error", text, problem.fix)]
    if differing:
        text = f"differs from configs/: {'; '.join(differing[:5])}"
        fix = "make the change in configs/, then: graft params"
        return [Finding("params.yaml", "warning", text, fix)]
    return [Finding("params.yaml", "ok", "valid, as configs/ composes it")]


def check_model(
    model: ModelConfig, is_cached: Callable[[ModelConfig], bool]
) -> list[Finding]:
    """The files of the base model: in a folder, or in the cache of the Hub.

    The digest of a small folder is computed; of a large one, only the names and the
    presence of files are checked.
    """
    subject, folder = "base model", Path(model.path)
    if not folder.is_dir():
        if is_cached(model):
            return [Finding(subject, "ok", f"{model.path}, in the Hub's cache")]
        text = f"{model.path} is not in the Hub's cache; the first run downloads it"
        fix = f"hf download {model.path} --revision {model.revision}"
        return [Finding(subject, "warning", text, fix)]
    if missing := _missing(folder):
        fix = "copy or download them again (git lfs pull, for pointers of Git LFS)"
        text = f"{folder} lacks {', '.join(missing[:5])}"
        return [Finding(subject, "error", text, fix)]
    if sum(file.stat().st_size for file in folder.iterdir()) >= _QUICKLY_READ:
        return [Finding(subject, "ok", f"{folder}; stage train checks its digest")]
    try:
        check_revision(model)
    except GraftError as error:
        return [Finding(subject, "error", f"{error.where}: {error.problem}", error.fix)]
    return [Finding(subject, "ok", f"{folder}, digest {model.revision}")]


def _missing(folder: Path) -> list[str]:
    """Names of weights and configuration that are missing or pointers of Git LFS."""
    names = {"config.json"}
    if (folder / _INDEX).is_file():
        names |= set(
            json.loads((folder / _INDEX).read_text("utf-8"))["weight_map"].values()
        )
    else:
        names |= {file.name for file in folder.glob("*.safetensors")} or {
            "*.safetensors"
        }
    return sorted(name for name in names if not _is_whole(folder / name))


def _is_whole(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(len(_POINTER)) != _POINTER
