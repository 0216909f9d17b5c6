"""The part of graft's code that a registered model needs, as a folder of its own."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

from graft import io

PACKAGE = "graft"
SERVED = "graft.serving.pyfunc"


def write_code(source: Path, out: Path, module: str = SERVED) -> None:
    """Copy a module and all modules of the package that it imports, at any place.

    Args:
        source: folder of the package.
        out: folder to write, of the package's name.
        module: with its package.
    """
    with io.atomic(out) as partial:
        for name in sorted(imported(source, module)):
            file = _file(source, name)
            if file is not None:
                target = partial / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)


def imported(source: Path, module: str) -> set[str]:
    """The module, the modules of the package that it imports, and their packages."""
    waiting, found = [module], set[str]()
    while waiting:
        name = waiting.pop()
        if name.partition(".")[0] != PACKAGE or name in found:
            continue
        if file := _file(source, name):
            found.add(name)
            waiting += [name.rpartition(".")[0], *_imports(file)]
    return found


def _file(source: Path, name: str) -> Path | None:
    place = source.joinpath(*name.split(".")[1:])
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return file if file.is_file() else None


def _imports(file: Path) -> Iterator[str]:
    """Names that are imported somewhere in a file; not all are modules."""
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
