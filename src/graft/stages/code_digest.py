"""Digests of the code of stages (docs/adr/0021-code-digests.md).

The digest of a module covers its syntax tree without docstrings, comments and
formatting. The digest of a stage covers all modules that it imports, also inside
functions, and the templates and styles beside them. It does not depend on the location
of the code.
"""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "graft"
NO_STAGES = frozenset({"__init__", "code", "code_digest", "encoding"})
"""Modules of `stages` without a digest of their own."""
WITHOUT_EFFECT = (
    "cli",
    "commands",
    "config",
    "errors",
    "hardware.gpus",
    "io.progress",
    "models.lean_imports",
    "planning",
    "process",
    "registry",
    "tracking",
)
"""Modules whose edits change no output: reading and checking of parameters (their
values are parameters of the stages), imports, estimates, display and logging."""
COUNTED = {"certify": ("registry",)}
"""Those of them that a stage runs with an effect on its outputs."""
TEMPLATES = frozenset({".css", ".jinja", ".js"})
WITHOUT_IMPORT = {
    "certify": "graft.registry.pyfunc_process",
    "evaluate": "graft.serving.registered_model",
}
"""Modules that a stage copies or runs as a file, without importing them."""
CHECKED_EARLY = {"train": ("inference", "metrics")}
"""Modules that a stage runs to fail early, without an effect on its outputs."""


class Code:
    """The modules of the package.

    Args:
        root: the parent of the package's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[str, _Module | None] = {}

    def stages(self) -> list[str]:
        """Names of all stages except `code`."""
        folder = self._root / PACKAGE / "stages"
        return sorted({path.stem for path in folder.glob("*.py")} - NO_STAGES)

    def digest(self, stage: str) -> str:
        """One line for each module that a stage can run: its name and digest."""
        name = f"{PACKAGE}.stages.{stage}"
        counted = COUNTED.get(stage, ())
        skipped = [part for part in WITHOUT_EFFECT if part not in counted]
        modules = self.closure(name, [*skipped, *CHECKED_EARLY.get(stage, ())])
        if (file := WITHOUT_IMPORT.get(stage)) and (module := self._module(file)):
            modules[file] = module
        lines = (f"{name} {module.digest}\n" for name, module in modules.items())
        return "".join(sorted(lines))

    def closure(
        self, name: str, skipped: Sequence[str] = WITHOUT_EFFECT
    ) -> dict[str, "_Module"]:
        """The named module, all modules of this package that it imports, and the
        packages of these, but for those that are `skipped`."""
        waiting, found = [name], dict[str, _Module]()
        while waiting:
            name = waiting.pop()
            if name in found or _is_in(name, skipped):
                continue
            if module := self._module(name):
                found[name] = module
                waiting += [name.rpartition(".")[0], *module.imports]
        return found

    def _module(self, name: str) -> "_Module | None":
        """A module of the package; None for any other name."""
        if name not in self._modules:
            is_ours = name.partition(".")[0] == PACKAGE
            self._modules[name] = self._read(name) if is_ours else None
        return self._modules[name]

    def _read(self, name: str) -> "_Module | None":
        folder = self._root / name.replace(".", "/")
        file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        if not file.is_file():
            return None
        tree = ast.parse(file.read_bytes(), str(file))
        digest = hashlib.sha256(repr(_shape(tree)).encode())
        for other in sorted(folder.iterdir()) if folder.is_dir() else ():
            if other.suffix in TEMPLATES:
                digest.update(other.name.encode() + other.read_bytes())
        return _Module(digest.hexdigest(), frozenset(_imports(tree)))


def _is_in(name: str, parts: Sequence[str]) -> bool:
    """Whether a module of the package is one of these, or inside one of them."""
    inside = name.partition(".")[2]
    return any(inside == part or inside.startswith(f"{part}.") for part in parts)


@dataclass(frozen=True)
class _Module:
    """The digest of a module, and the names that it imports."""

    digest: str
    imports: frozenset[str]


def _imports(tree: ast.Module) -> Iterator[str]:
    """Names that are imported when the code runs; not all are modules."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not _is_for_types(node):
            waiting += ast.iter_child_nodes(node)


def _shape(node: Any) -> Any:
    """A syntax tree as plain values, without positions, docstrings, and code for type
    checkers only.

    Empty fields are left out, since newer versions of Python have more of them.
    """
    if isinstance(node, list):
        return [
            _shape(x) for x in node if not _is_docstring(x) and not _is_for_types(x)
        ]
    if not isinstance(node, ast.AST):
        return node
    fields = [(name, getattr(node, name, None)) for name in node._fields]
    kept = [(n, _shape(v)) for n, v in fields if v not in (None, []) and n != "kind"]
    return [type(node).__name__, *kept]


def _is_for_types(node: Any) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def _is_docstring(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
