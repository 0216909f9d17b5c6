"""The files of a new project, as an installed package or a clone has them."""

import shutil
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import graft
from graft.errors import ConfigError

LEFT_OUT = (
    "configs/data/sample.yaml",
    "configs/model/tiny.yaml",
    "configs/requirements/data/*_sample.yaml",
    "configs/data/*_tiny.yaml",
    "configs/experiment/*_tiny.yaml",
)
"""Configurations of data and models that lie in graft's own repository alone."""
CHANGES = {
    "configs/config.yaml": {
        "- data: sample": "- data: jsonl",
        "- model: tiny": "- model: {model}",
        "- train: tiny": "- train: qlora",
    },
    "dvc.yaml": {
        "graft.stages.code --source src/graft": "graft.stages.code",
        # The code is not in the project: each run looks at what is installed.
        "    deps:\n      - src/graft\n": "    always_changed: true\n",
    },
}
"""What differs in a project: file → old text → new text."""
README = """# {name}

A project of graft: fine-tuning from raw rows to a registered adapter.

| file | what it is |
|---|---|
| `configs/` | every value, with a comment; one group for each part that can be swapped |
| `params.yaml` | what `configs/` compose to: written by `graft params` and `dvc exp run` |
| `dvc.yaml` | the stages, and their paths |
| `decisions/` | what people decided about personal data and rejected rows |
| `data/raw/` | a place for your files, which git does not track |

```
graft add pairs.csv --name mine                # your data, and an experiment for it
graft describe FOLDER --out configs/model/base.yaml       # a base model from a folder
graft plan -S +experiment=mine                 # does it fit the GPU?
dvc exp run -S +experiment=mine -S model=base  # run all stages
graft summary; graft ui                        # the result
```

The default base model is `{model}` (`configs/config.yaml`); it comes from the Hugging Face hub unless its path is a folder. On a CPU, with a small model: `-S train=tiny -S quantization=none`.
"""


def write_project(folder: Path, model: str) -> None:
    """Copy the files into a folder, with what differs in a project, and a README.

    Args:
        folder: is made.
        model: the name of a file in configs/model.
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
    """Names of the base models that a project starts with."""
    names = (name for name, _ in _files() if name.startswith("configs/model/"))
    return sorted(Path(name).stem for name in names)


def _files() -> Iterator[tuple[str, Path]]:
    """The path of each file in a project, and where it is copied from.

    Raises: ConfigError if neither the package nor a clone around it has them.
    """
    package = Path(graft.__file__).parent
    root, clone = package / "project", package.parents[1]
    names = ["."]
    if not root.is_dir():
        if not (clone / "pyproject.toml").is_file():
            raise ConfigError(
                str(root), "is missing", fix="install graft again, from its wheel"
            )
        root, settings = clone, (clone / "pyproject.toml").read_text(encoding="utf-8")
        names = tomllib.loads(settings)["tool"]["graft"]["project"]
    for name in names:
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            relative = path.relative_to(root).as_posix()
            hidden = "__pycache__" in path.parts
            if path.is_file() and not hidden and not _is_left_out(relative):
                yield relative, path


def _is_left_out(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in LEFT_OUT)
