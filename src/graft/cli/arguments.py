"""Arguments of a stage or command, from the signature and docstring of its `run`.

A parameter annotated with a `Section` class is that section of params.yaml (`Params` is
all of it) and not an argument. Others become flags (`out: Path` is `--out PATH`), or
positional arguments if they are before a `/`. Their help comes from `Args:` of the
docstring.
"""

import argparse
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal

from graft.config import Section

PARAMS_FILE = "params file"
OVERRIDES = "overrides of params"
"""Destinations of --params and -S: no parameter of a `run` has such a name."""

_ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)


def sections_of(run: Callable[..., Any]) -> dict[str, type[Section]]:
    """Parameters that are sections of params.yaml, with their classes."""
    hints = typing.get_type_hints(run)
    names = inspect.signature(run).parameters
    return {name: hints[name] for name in names if _is_section(hints[name])}


def add_arguments(
    parser: argparse.ArgumentParser, run: Callable[..., Any], default: Path
) -> None:
    """Add the arguments of `run` to a parser.

    Args:
        parser: also gets the description of `run`.
        default: the params file, for a `run` with sections.
    """
    parser.description, helps = describe(run)
    parser.formatter_class = _Formatter
    sections = sections_of(run)
    hints = typing.get_type_hints(run)
    for name, parameter in inspect.signature(run).parameters.items():
        if name not in sections:
            _add(parser, parameter, hints[name], helps.get(name))
    if sections:
        parser.add_argument(
            "--params",
            type=Path,
            default=default,
            dest=PARAMS_FILE,
            metavar="FILE",
            help="the composed parameters",
        )


def describe(run: Callable[..., Any]) -> tuple[str, Mapping[str, str]]:
    """The description of a docstring, and the help of each argument."""
    text, _, rest = (inspect.getdoc(run) or "").partition("\n\nArgs:\n")
    _, *parts = _ENTRY.split(re.split(r"^\S", rest, maxsplit=1, flags=re.MULTILINE)[0])
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return text, {name: " ".join(entry.split()) for name, entry in pairs}


def to_arguments(
    run: Callable[..., Any], values: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Values by name, as positional and keyword arguments of `run`."""
    parameters = inspect.signature(run).parameters.items()
    first = [
        values.pop(name)
        for name, parameter in parameters
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    return first, values


class _Formatter(
    argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter
):
    """Keeps the lines of the description, and shows meaningful defaults."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False, argparse.SUPPRESS, []):
            return action.help
        return super()._get_help_string(action)


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Section)


def _add(
    parser: argparse.ArgumentParser,
    parameter: inspect.Parameter,
    hint: Any,
    help_text: str | None,
) -> None:
    if isinstance(hint, UnionType):
        hint = next(part for part in hint.__args__ if part is not NoneType)
    required = parameter.default is inspect.Parameter.empty
    # The help is never empty, since argparse shows a default only beside a help.
    options: dict[str, Any] = {"help": (help_text or " ").replace("%", "%%")}
    if not required:
        options["default"] = parameter.default
    if hint is bool:
        options["action"] = "store_true"
    elif typing.get_origin(hint) is Literal:
        options["choices"] = typing.get_args(hint)
    elif typing.get_origin(hint) is list:
        options |= {"type": typing.get_args(hint)[0], "nargs": "+"}
    else:
        options["type"] = hint
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        if not required:
            options["nargs"] = "*" if "nargs" in options else "?"
        parser.add_argument(parameter.name, **options)
    else:
        flag = "--" + parameter.name.replace("_", "-")
        parser.add_argument(flag, dest=parameter.name, required=required, **options)
