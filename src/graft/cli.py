"""`graft …`, and the argument handling of stages and commands.

A stage or command is a function `run`. Its parameters say all there is to say:
one annotated with a `Section` class is that section of params.yaml (`Params` is all of
it, for the record), the others become flags (`out: Path` is `--out PATH`), or
positional arguments where they stand before a `/`.
"""

import argparse
import importlib
import inspect
import os
import sys
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from graft.config import Section
from graft.errors import GraftError
from graft.harmful_warnings import harmful_warnings_raised
from graft.io import storage_error
from graft.own_code import use_own_code
from graft.params import PARAMS, Params, check_params, load_params

COMMANDS: dict[str, str] = {
    "add": "take your own files as data: configs/, dvc add, and the next command",
    "compare": "show base and variants side by side, and what differs significantly",
    "decide": "store what a person decided about personal data",
    "describe": "print the configs/model file of a model folder",
    "digest": "print the revision of a local model folder",
    "export": "write the adapter, or a merged model, for vLLM and Transformers",
    "log": "send what a tracking server that was down has missed of a run",
    "params": "compose configs/ into params.yaml",
    "plan": "estimate memory and time of training, and say what to change",
    "quarantine": "show what the stages put aside, write it out, re-admit it",
    "remote": "set the S3 remote of DVC from the environment",
    "review": "make blind sheets for raters, and score the filled ones",
    "summary": "say what the line has made, and how to see it",
    "ui": "show runs and the registry in a browser",
}
"""Name of a module in `graft.commands` → one line of help. Modules load when used."""


_FILE = "params file"
_OVERRIDES = "changes of params"
"""Where the parser keeps --params and -S: no parameter of a `run` has such a name."""


def stage(
    run: Callable[..., Any], argv: Sequence[str] | None = None, composes: bool = False
) -> None:
    """Run a stage or command and end the process; errors of ours print no traceback."""
    try:
        use_own_code(Path.cwd())
        with harmful_warnings_raised():
            call(run, sys.argv[1:] if argv is None else argv, composes)
    except GraftError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # `graft … | head`: who read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        where = Path(str(error.filename or "."))
        print(f"error: {storage_error(where, error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def call(run: Callable[..., Any], argv: Sequence[str], composes: bool = False) -> Any:
    """Fill the parameters of `run` from command line and params.yaml, and run it.

    `composes`: with -S, as `dvc exp run` has it, sections come from configs/ instead.
    """
    hints = typing.get_type_hints(run)
    parser = argparse.ArgumentParser(description=inspect.getdoc(run))
    sections: dict[str, type] = {}
    for name, parameter in inspect.signature(run).parameters.items():
        if _is_config(hints[name]):
            sections[name] = hints[name]
        else:
            _add_argument(parser, parameter, hints[name])
    if sections:
        parser.add_argument(
            "--params", type=Path, default=PARAMS, dest=_FILE, help="params.yaml"
        )
    if sections and composes:
        parser.add_argument(
            "-S",
            action="append",
            default=[],
            dest=_OVERRIDES,
            metavar="KEY=VALUE",
            help="change of what configs/ says, as for dvc exp run; may be repeated",
        )
    values = vars(parser.parse_args(argv))
    if sections:
        params = _load(values.pop(_FILE), values.pop(_OVERRIDES, []))
        for name, kind in sections.items():
            values[name] = params if kind is Params else params.section(kind)
    return _apply(run, values)


def _load(file: Path, overrides: Sequence[str]) -> Params:
    """params.yaml, or with overrides what configs/ compose to."""
    if not overrides:
        return load_params(file)
    import yaml

    from graft.composition import compose

    return check_params(yaml.safe_load(compose(overrides)), " ".join(overrides))


def _is_config(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Section)


def _add_argument(
    parser: argparse.ArgumentParser, parameter: inspect.Parameter, hint: Any
) -> None:
    if isinstance(hint, UnionType):
        hint = next(part for part in hint.__args__ if part is not NoneType)
    required = parameter.default is inspect.Parameter.empty
    options: dict[str, Any] = {} if required else {"default": parameter.default}
    if hint is bool:
        options["action"] = argparse.BooleanOptionalAction
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


def _apply(run: Callable[..., Any], values: dict[str, Any]) -> Any:
    first = [
        values.pop(name)
        for name, parameter in inspect.signature(run).parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    return run(*first, **values)


def main() -> None:
    """Entry point of `graft`."""
    name, *rest = sys.argv[1:] or ["--help"]
    if name in COMMANDS:
        sys.argv[0] = f"graft {name}"
        stage(importlib.import_module(f"graft.commands.{name}").run, rest, True)
        return
    width = max(map(len, COMMANDS), default=0)
    table = "\n".join(f"  {key:<{width}}  {text}" for key, text in COMMANDS.items())
    print(f"usage: graft COMMAND …\n\n{table}\n\ngraft COMMAND --help tells more.")
    if name not in ("-h", "--help"):
        print(f"\nerror: graft has no command {name!r}", file=sys.stderr)
        sys.exit(2)
