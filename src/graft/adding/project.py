"""The files of a new project, from the installed package or from a clone of graft."""

import shutil
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import graft
from graft.errors import ConfigError

EXCLUDED = (
    "configs/data/sample.yaml",
    "configs/model/tiny.yaml",
    "configs/requirements/data/*_sample.yaml",
    "configs/data/*_tiny.yaml",
    "configs/experiment/*_tiny.yaml",
)
"""Configurations whose data and models exist only in the repository of graft."""
CHANGES = {
    "configs/config.yaml": {
        "- data: sample": "- data: jsonl",
        "- model: tiny": "- model: {model}",
        "- train: tiny": "- train: qlora",
    },
    "dvc.yaml": {
        "graft.stages.code --source src/graft": "graft.stages.code",
        # The project has no code: each run checks the installed package.
        "    deps:\n      - src/graft\n": "    always_changed: true\n",
    },
}
"""Replacements in the files of a project: file → old text → new text."""
README = """# {name}

A graft project: fine-tuning, from raw rows to a registered adapter.

| file | what it is |
|---|---|
| `configs/` | all values, with comments: a Hydra group for each component |
| `params.yaml` | values composed from `configs/` (`graft params`, `dvc exp run`) |
| `dvc.yaml` | the stages and their paths |
| `decisions/` | reviewers' decisions on personal data and rejected rows |
| `data/raw/` | a folder for your files, which git ignores |

```
graft add pairs.csv --name mine                # add your data, and an experiment
graft describe FOLDER --out configs/model/base.yaml       # optional: a local model
graft plan -S +experiment=mine                 # estimate memory and time
dvc exp run -S +experiment=mine -S model=base  # run all stages
graft summary; graft ui                        # show the results
```

The default base model is `{model}` (`configs/config.yaml`); it is downloaded from the Hugging Face Hub unless its path is a local folder. To train a small model on a CPU: `-S train=tiny -S quantization=none`.
"""


def write_project(folder: Path, model: str) -> None:
    """Create a project: copy its files, apply the replacements, and write a README.

    Args:
        folder: folder to create.
        model: name of a file in configs/model.
    """
    for name, source in _files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for name, changes in CHANGES.items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes.items():
            text = text.replace(old, new.format(model=model))
        (folder / name).write_text(text, encoding="utf-8")
    text = README.format(name=folder.resolve().name, model=model)
    (folder / "README.md").write_text(text, encoding="utf-8")


def models() -> list[str]:
    """Names of the base models that have a configuration in a new project."""
    names = (name for name, _ in _files() if name.startswith("configs/model/"))
    return sorted(Path(name).stem for name in names)


def _files() -> Iterator[tuple[str, Path]]:
    """The path of each file in a project, and the file that is copied to it.

    Raises: ConfigError if the files are neither in the package nor in a clone.
    """
    package = Path(graft.__file__).parent
    root, clone = package / "project", package.parents[1]
    names = ["."]
    if not root.is_dir():
        if not (clone / "pyproject.toml").is_file():
            raise ConfigError(
                str(root), "is missing", fix="reinstall graft from its wheel"
            )
        root, settings = clone, (clone / "pyproject.toml").read_text(encoding="utf-8")
        names = tomllib.loads(settings)["tool"]["graft"]["project"]
    for name in names:
        source = root / name
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            relative = path.relative_to(root).as_posix()
            hidden = "__pycache__" in path.parts
            if path.is_file() and not hidden and not _is_excluded(relative):
                yield relative, path


def _is_excluded(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in EXCLUDED)
