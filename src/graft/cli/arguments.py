"""Arguments of a stage or command, from the signature and docstring of its `run`.

A parameter annotated with a `Section` class receives that section of params.yaml
(`Params`: all sections) and is not an argument. Any other parameter becomes an option
(`out: Path` is `--out OUT`), or a positional argument if it precedes a `/`. Its help
text comes from `Args:` in the docstring.
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
"""Destinations of --params and -S; the spaces rule out a clash with a parameter."""

_ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)


def sections_of(run: Callable[..., Any]) -> dict[str, type[Section]]:
    """The class of each parameter that is a section of params.yaml, by name."""
    hints = typing.get_type_hints(run)
    names = inspect.signature(run).parameters
    return {name: hints[name] for name in names if _is_section(hints[name])}


def add_arguments(
    parser: argparse.ArgumentParser, run: Callable[..., Any], default: Path
) -> None:
    """Add the arguments of `run` to a parser.

    Args:
        parser: parser to extend; its description is set, too.
        run: function whose signature and docstring define the arguments.
        default: default of --params, which is added if `run` has sections.
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
            help="file of the composed parameters",
        )


def describe(run: Callable[..., Any]) -> tuple[str, Mapping[str, str]]:
    """The description in a docstring, and the help text of each argument by name."""
    text, _, rest = (inspect.getdoc(run) or "").partition("\n\nArgs:\n")
    _, *parts = _ENTRY.split(re.split(r"^\S", rest, maxsplit=1, flags=re.MULTILINE)[0])
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return text, {name: " ".join(entry.split()) for name, entry in pairs}


def to_arguments(
    run: Callable[..., Any], values: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Values by name → positional and keyword arguments of `run`."""
    parameters = inspect.signature(run).parameters.items()
    positional = [
        values.pop(name)
        for name, parameter in parameters
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    return positional, values


class _Formatter(
    argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter
):
    """Keeps line breaks of the description; shows defaults other than null, false."""

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
    # Never empty, since argparse shows a default only after a help text.
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
        option = "--" + parameter.name.replace("_", "-")
        parser.add_argument(option, dest=parameter.name, required=required, **options)
