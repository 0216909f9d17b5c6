"""The command line: `graft COMMAND`, and how stages and commands start and end."""

import argparse
import difflib
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any

import graft
from graft.cli.arguments import (
    OVERRIDES,
    PARAMS_FILE,
    add_arguments,
    sections_of,
    to_arguments,
)
from graft.cli.harmful_warnings import harmful_warnings_raised
from graft.cli.verbose import LOGGER, VARIABLE, fail, start_logging
from graft.config.params import PARAMS, Params, load_params
from graft.errors import GraftError
from graft.io import storage_error
from graft.process import signals
from graft.process.own_code import use_own_code

COMMANDS: dict[str, str] = {
    "add": "take your own files as data: configs/, dvc add, and the next command",
    "compare": "show base and variants side by side, and what differs significantly",
    "completion": "print a script that completes commands and options in a shell",
    "decide": "store what a person decided about personal data",
    "describe": "print the configs/model file of a model folder",
    "digest": "print the revision of a local model folder",
    "export": "write the adapter, or a merged model, for vLLM and Transformers",
    "init": "make a project of your own: configs/, dvc.yaml, params.yaml",
    "log": "send what a tracking server that was down has missed of a run",
    "params": "compose configs/ into params.yaml",
    "plan": "estimate memory and time of training, and say what to change",
    "quarantine": "show, write out and re-admit the rejects of the stages",
    "remote": "set the S3 remote of DVC from the environment",
    "review": "make blind sheets for raters, and score the filled ones",
    "summary": "show what the pipeline made, and where to see it",
    "ui": "show runs and the registry in a browser",
}
"""Name of a module in `graft.commands` → one line of help. Modules load when used."""

_QUIET = "TQDM_DISABLE"  # read by tqdm itself
SWITCHES = {"-q": _QUIET, "--quiet": _QUIET, "-v": VARIABLE, "--verbose": VARIABLE}
"""Flags before the command → variable of the environment that they set to 1."""


def stage(
    run: Callable[..., Any], argv: Sequence[str] | None = None, composes: bool = False
) -> None:
    """Run a stage or command and end the process; errors of ours print no traceback."""
    start_logging()
    try:
        use_own_code(Path.cwd())
        LOGGER.debug("code in %s", Path(graft.__file__).parent)
        with signals.handled(signals.raise_interrupted), harmful_warnings_raised():
            call(run, sys.argv[1:] if argv is None else argv, composes)
    except GraftError as error:
        fail(error)
    except BrokenPipeError:  # `graft … | head` closes the pipe early
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        fail(storage_error(Path(str(error.filename or ".")), error))
    except KeyboardInterrupt as error:
        number = error.number if isinstance(error, signals.Interrupted) else 2
        sys.exit(signals.tell(number, is_stage=not composes))


def call(run: Callable[..., Any], argv: Sequence[str], composes: bool = False) -> Any:
    """Fill the parameters of `run` from command line and params.yaml, and run it.

    `composes`: with -S, as `dvc exp run` has it, sections come from configs/ instead.
    A command that takes `json` returns a document when it is set, which is printed.
    """
    values = vars(make_parser(run, composes).parse_args(argv))
    if sections := sections_of(run):
        params = _load(values.pop(PARAMS_FILE), values.pop(OVERRIDES, []))
        for name, kind in sections.items():
            values[name] = params if kind is Params else params.section(kind)
    first, named = to_arguments(run, values)
    if not named.get("json"):
        return run(*first, **named)
    with redirect_stdout(sys.stderr):  # stdout has the document alone
        document = run(*first, **named)
    print(json.dumps(document, indent=2))  # ASCII: it cannot steer a terminal
    return document


def make_parser(run: Callable[..., Any], composes: bool) -> argparse.ArgumentParser:
    """The parser of one stage or command."""
    parser = argparse.ArgumentParser()
    fill_parser(parser, run, composes)
    return parser


def fill_parser(
    parser: argparse.ArgumentParser, run: Callable[..., Any], composes: bool
) -> None:
    """Give a parser the arguments of a stage or command."""
    add_arguments(parser, run, PARAMS)
    if composes and sections_of(run):
        parser.add_argument(
            "-S",
            action="append",
            default=[],
            dest=OVERRIDES,
            metavar="KEY=VALUE",
            help="change of what configs/ says, as for dvc exp run; may be repeated",
        )


def _load(file: Path, overrides: Sequence[str]) -> Params:
    """params.yaml, or with overrides what configs/ compose to."""
    if not overrides:
        LOGGER.debug("parameters from %s", file.absolute())
        return load_params(file)
    from graft.config.compose import compose_params

    return compose_params(overrides)


def main() -> None:
    """Entry point of `graft`."""
    words = sys.argv[1:]
    while words and (variable := SWITCHES.get(words[0])):
        os.environ[variable] = "1"
        del words[0]
    name, *rest = words or ["--help"]
    if name in COMMANDS:
        sys.argv[0] = f"graft {name}"
        with signals.handled(signals.exit_at_once):
            module = importlib.import_module(f"graft.commands.{name}")
            stage(module.run, rest, True)
    elif name in ("-V", "--version"):
        print(f"graft {version('graft')}")
    elif name in ("-h", "--help"):
        print(usage())
    else:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        print(
            f"{usage()}\n\nerror: graft has no command {name!r}{hint}", file=sys.stderr
        )
        sys.exit(2)


def usage() -> str:
    """What `graft --help` prints."""
    width = max(map(len, COMMANDS))
    table = "\n".join(f"  {key:<{width}}  {text}" for key, text in COMMANDS.items())
    return (
        f"usage: graft [-q] [-v] COMMAND …\n\n{table}\n\n"
        "  -q, --quiet    no progress bars\n"
        "  -v, --verbose  debug messages, and a traceback under an error\n"
        "  -V, --version  the installed version\n\n"
        "graft COMMAND --help describes a command and its options."
    )
