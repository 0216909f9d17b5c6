"""`graft init`: create a project from the installed package."""

from pathlib import Path

from graft import io
from graft.adding.place import to_name
from graft.adding.project import models, write_project
from graft.config.compose import compose
from graft.errors import ConfigError, StorageError
from graft.process.programs import run_program


def run(folder: Path, /, *, model: str = "mistral-7b-v0.3") -> None:
    """Create a project with configs/, dvc.yaml and params.yaml, tracked by git and DVC.

    Args:
        folder: folder to create; it must be new or empty.
        model: base model: the name of a file in configs/model, or the folder of a
            local model.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            str(folder),
            "already exists and is not an empty folder",
            expected="a new or empty folder",
            fix="choose another folder",
        )
    described = _describe(Path(model)) if Path(model).is_dir() else None
    name = to_name(Path(model), None) if described else model
    if not described and model not in models():
        raise ConfigError(
            f"--model {model}",
            "neither a base model in configs/model, nor a folder",
            expected=f"one of {', '.join(models())}, or the folder of a local model",
            fix="correct the name; to use another model, run graft describe in the "
            "project later",
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
        "         graft add FILE --name NAME        # add your data\n"
        "         dvc exp run -S +experiment=NAME"
    )


def _describe(folder: Path) -> str:
    from graft.commands.describe import describe, to_yaml

    return to_yaml(describe(folder.resolve()))


def _start_dvc(folder: Path) -> None:
    """Initialize DVC in the folder, and git unless it is in a git repository."""
    config = (folder / ".dvc/config").read_bytes()
    (folder / ".dvc/config").unlink()
    (folder / ".dvc").rmdir()
    try:
        prefix = run_program("git", "rev-parse", "--show-prefix", folder=folder)
    except StorageError:  # not in a repository
        run_program("git", "init", "--quiet", folder=folder)
        prefix = ""
    options = ["--subdir"] if prefix.strip() else []
    run_program("dvc", "init", "--quiet", *options, folder=folder)
    (folder / ".dvc/config").write_bytes(config)
