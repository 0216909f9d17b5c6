"""Write docs/CONFIG.md: every key of params.yaml with its type, default and meaning.

    python scripts/make_config_page.py [--check]

Types come from the classes in `graft.config`, defaults from params.yaml, meanings from
the comments in `configs/`. --check writes nothing, and fails if the page is out of
date.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

from graft.config.params import PARAMS, Params

CONFIGS, PAGE = Path("configs"), Path("docs/CONFIG.md")
HEAD = """# Every key of the configuration

Made by `python scripts/make_config_page.py` from the classes in `src/graft/config` and the comments in `configs/`. The default is that of the default pipeline; `-S key=value` changes it for one `dvc exp run`.
"""
_KEY = re.compile(r"^(?P<indent> *)(?P<name>\w+):(?P<value>.*)$")
_REMARK = re.compile(r"(?:^|\s)# (.*)$")


def main() -> None:
    """Write or check the page."""
    text = to_page(Params, yaml.safe_load(PARAMS.read_text("utf-8")), CONFIGS)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text("utf-8") != text:
        sys.exit(f"{PAGE} differs; run: python scripts/make_config_page.py")


def to_page(params: type[BaseModel], values: dict[str, Any], configs: Path) -> str:
    """The page, with a table for each section. Raises: KeyError for a key without a
    comment."""
    parts = [HEAD]
    chosen = _chosen(configs)
    classes = {f.alias or name: f.annotation for name, f in params.model_fields.items()}
    for section in values:
        remarks = read_remarks(configs / section, chosen[section])
        rows = [
            f"| `{key}` | {kind} | {_cell(default)} | {_escaped(remarks[key])} |"
            for key, kind, default in keys_of(classes[section], values[section])
        ]
        choices = sorted(path.stem for path in (configs / section).glob("*.yaml"))
        files = ", ".join(f"`{name}`" for name in choices)
        parts += [f"## {section}\n", f"Files in `configs/{section}`: {files}.\n"]
        parts += ["| key | type | default | meaning |\n|---|---|---|---|", *rows, ""]
    return "\n".join(parts)


def keys_of(
    kind: Any, values: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Dotted keys of a section, with type and default; of one with several forms, the
    form that has the default's keys."""
    [model, *_] = [m for m in _models(kind) if set(values) <= _names(m)]
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner, value = list(_models(field.annotation)), values[key]
        if inner and isinstance(value, dict) and set(value) <= _names(inner[0]):
            yield from keys_of(field.annotation, value, f"{prefix}{key}.")
        else:
            yield prefix + key, to_type(field.annotation), value


def to_type(kind: Any) -> str:
    """A short name of a type."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return to_type(inner[0])
    if origin is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in inner)
    if origin in (Union, UnionType):
        return " or ".join(to_type(part) for part in inner)
    if origin is list:
        return f"list of {to_type(inner[0])}"
    if origin is dict:
        return f"{to_type(inner[0])} → {to_type(inner[1])}"
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return "null" if kind is NoneType else names.get(kind, "mapping")


def _chosen(configs: Path) -> dict[str, str]:
    """The file of each group that the default pipeline uses."""
    defaults = yaml.safe_load((configs / "config.yaml").read_text("utf-8"))["defaults"]
    return {group: name for item in defaults if item != "_self_"
            for group, name in item.items()}  # fmt: skip


def read_remarks(folder: Path, chosen: str) -> dict[str, str]:
    """The comment of each key of a group, from the first file that has one: `base`,
    then the chosen one, then the others."""
    first = {"base": 0, chosen: 1}
    found: dict[str, str] = {}
    for file in sorted(
        folder.glob("*.yaml"), key=lambda path: (first.get(path.stem, 2), path.stem)
    ):
        for key, remark in _remarks(file.read_text("utf-8"), folder.name):
            found.setdefault(key, remark)
    return found


def _remarks(text: str, section: str) -> Iterator[tuple[str, str]]:
    """Keys with the comment on their line, or on the lines directly above."""
    above: list[str] = []
    path: list[tuple[int, str]] = []
    lines = text.splitlines()
    while lines and lines[0].startswith("#"):
        del lines[0]  # a comment at the top is about the file
    for line in lines:
        remark = _REMARK.search(line)
        if line.lstrip().startswith("#") and remark:
            above.append(remark[1])
            continue
        if found := _KEY.match(line):
            indent = len(found["indent"])
            path = [step for step in path if step[0] < indent]
            path.append((indent, found["name"]))
            names = [name for _, name in path]
            key = ".".join(names[1:] if names[0] == section else names)
            if said := (remark[1] if remark else " ".join(above)):
                yield key, said
        above = []


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _models(part)


def _names(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _cell(value: Any) -> str:
    shown = _escaped(json.dumps(value, ensure_ascii=False))
    return f"`{shown}`" if len(shown) < 60 else f"`{shown[:56]}…`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    main()
