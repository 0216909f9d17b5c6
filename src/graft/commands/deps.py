"""`graft deps`: each stage's code dependencies, from its imports (docs/adr/0004)."""

from io import StringIO
from pathlib import Path
from typing import Any

from graft import io
from graft.errors import ConfigError

DVC_YAML = Path("dvc.yaml")
SOURCE = "src/graft"
FOUNDATION = {
    "cli",
    "commands",
    "composition",
    "config",
    "errors",
    "harmful_warnings",
    "own_code",
    "params",
    "tracking",
}
"""Modules whose edits change no output: how values are read, told and logged."""


TEMPLATES = {".jinja", ".css", ".js"}
BY_PATH = {"evaluate": ["graft.serving.pyfunc"]}
"""What a stage hands on as a file, without an import: it registers this code."""


def code_deps(stage: str) -> list[str]:
    """Files and folders of this package that a stage's output can depend on.

    A package of which every module is imported stands as its folder.
    """
    import grimp

    graph = grimp.build_graph("graft", cache_dir=None)
    modules: set[str] = set()
    found = [f"graft.stages.{stage}", *BY_PATH.get(stage, [])]
    while found:
        name = found.pop()
        if name in modules or "." not in name:
            continue
        modules.add(name)
        found += graph.find_modules_directly_imported_by(name)
        found.append(name.rpartition(".")[0])  # an import runs its package's file too
    paths = set()
    for name in modules:
        package = ".".join(name.split(".")[:2])
        inside = graph.find_descendants(package)
        if name.split(".")[1] in FOUNDATION:
            continue
        if inside and inside <= modules:
            paths.add(_path(package))
            continue
        if (file := _file(name)).stat().st_size:
            paths.add(str(file))
        if file.stem == "__init__":
            paths.update(map(str, _templates(file.parent)))
    return sorted(paths)


def _templates(folder: Path) -> list[Path]:
    """What a package's modules read beside their code: pages, styles."""
    return [path for path in folder.iterdir() if path.suffix in TEMPLATES]


def _path(name: str) -> str:
    return "src/" + name.replace(".", "/")


def _file(name: str) -> Path:
    folder = Path(_path(name))
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def with_code_deps(document: dict[str, Any]) -> list[str]:
    """Put the code dependencies into dvc.yaml's values; returns the stages changed."""
    changed = []
    for name, stage in document["stages"].items():
        data = [path for path in stage["deps"] if not path.startswith(SOURCE)]
        deps = [*data, *code_deps(name)]
        if list(stage["deps"]) != deps:
            stage["deps"][:] = deps
            changed.append(name)
    return changed


def run(*, check: bool = False) -> None:
    """Write each stage's code dependencies into dvc.yaml; --check only compares."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 88
    document = yaml.load(DVC_YAML)
    changed = with_code_deps(document)
    if check and changed:
        raise ConfigError(
            str(DVC_YAML),
            f"deps of {', '.join(changed)} are not what these stages import",
            expected="each stage's import closure",
            fix="graft deps",
        )
    if changed:
        text = StringIO()
        yaml.dump(document, text)
        io.write_text(DVC_YAML, text.getvalue())
    print(f"{DVC_YAML}: {len(changed)} stages changed")
