"""`graft init`: a project of one's own, from the installed package."""

import subprocess
import sys
from pathlib import Path

from graft import io
from graft.adding.place import to_name
from graft.adding.project import models, write_project
from graft.config.compose import compose
from graft.errors import ConfigError, StorageError


def run(folder: Path, /, *, model: str = "mistral-7b-v0.3") -> None:
    """Make a project of your own: configs/, dvc.yaml, params.yaml, under git and DVC.

    Args:
        folder: is made.
        model: base model to start with; a file of configs/model, or a model folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            str(folder), "is there already", expected="a new or empty folder"
        )
    described = _describe(Path(model)) if Path(model).is_dir() else None
    name = to_name(Path(model), None) if described else model
    if not described and model not in models():
        raise ConfigError(
            f"--model {model}",
            "neither a base model that graft has a file for, nor a folder",
            expected=f"one of {', '.join(models())}, or a model folder",
            fix="correct the name; other models: graft describe, in the project",
        )
    write_project(folder, name)
    if described:
        io.write_text(folder / f"configs/model/{name}.yaml", described)
    io.write_text(folder / "params.yaml", compose((), folder / "configs"))
    _start_dvc(folder)
    print(
        f"written  {folder}: configs/, dvc.yaml, params.yaml, README.md …\n"
        f"model    {name} (configs/model/{name}.yaml)\n"
        f"next     cd {folder}\n"
        "         git add --all && git commit -m 'Start a project'\n"
        "         graft add FILE --name NAME        # your data\n"
        "         dvc exp run -S +experiment=NAME"
    )


def _describe(folder: Path) -> str:
    from graft.commands.describe import describe, to_yaml

    return to_yaml(describe(folder.resolve()))


def _start_dvc(folder: Path) -> None:
    """Make the folder a repository of DVC, and of git where it is in none."""
    config = (folder / ".dvc/config").read_bytes()
    (folder / ".dvc/config").unlink()
    (folder / ".dvc").rmdir()
    prefix = _run(folder, "git", "rev-parse", "--show-prefix", may_fail=True)
    if prefix is None:
        _run(folder, "git", "init", "--quiet")
    inside = ["--subdir"] if (prefix or "").strip() else []
    _run(folder, sys.executable, "-m", "dvc", "init", "--quiet", *inside)
    (folder / ".dvc/config").write_bytes(config)


def _run(folder: Path, *words: str, may_fail: bool = False) -> str | None:
    """What a program prints; None if it failed and may. Raises: StorageError."""
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise StorageError(
            words[0], "no such program", fix=f"install {words[0]}, then try again"
        ) from error
    if done.returncode == 0:
        return done.stdout
    if may_fail:
        return None
    raise StorageError(
        " ".join(words), done.stderr.strip() or "failed", fix="do what it says"
    )
