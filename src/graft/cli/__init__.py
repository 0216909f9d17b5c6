"""The command line `graft COMMAND`, and the entry point of stages and commands."""

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
    "add": "add your data: write its configuration, and track its files with DVC",
    "batch": "complete the prompts of a file with a registered version, or an API",
    "canary": "compare the challenger with the champion on live traffic",
    "compare": "compare the base model and its variants, with significance",
    "completion": "print a shell script that completes commands and options",
    "decide": "store a reviewer's decisions on personal data",
    "demo": "show a page to try, compare and correct the answers of graft serve",
    "describe": "write the configuration (configs/model) of a local model",
    "digest": "print the revision of a local model, a digest of its files",
    "doctor": "check this machine and project, and say what to mend",
    "drift": "compare requests with the training data of a version",
    "export": "export the adapter or a merged model for vLLM and Transformers",
    "init": "create a project: configs/, dvc.yaml, params.yaml",
    "lineage": "show what made a version, or which versions learned from data or a row",
    "log": "send the events of a run that the tracking server has not received",
    "params": "compose configs/ into params.yaml",
    "plan": "estimate memory and time of training, and suggest settings",
    "promote": "make a version champion if it keeps the rules; show all decisions",
    "quarantine": "show, export and re-admit rejected rows",
    "quality": "show the quality of versions in production, from logged requests",
    "remote": "configure DVC's S3 remote from environment variables",
    "reproduce": "run the stages of a registered version again, and compare",
    "review": "create blind review sheets for raters, and score completed sheets",
    "rollback": "give the alias champion back to an earlier version",
    "serve": "answer requests with a registered version, as OpenAI's API does",
    "summary": "show scores and the registered version, and where to see more",
    "ui": "open MLflow's pages of runs and registered models",
    "verify": "check a registered version's files, and certify every way to use it",
    "watch": "take versions back on alerts, and analyse what is served",
}
"""Name of a module in `graft.commands` → one line of help. A module is imported when
its command runs."""

_QUIET = "TQDM_DISABLE"  # read by tqdm itself
SWITCHES = {"-q": _QUIET, "--quiet": _QUIET, "-v": VARIABLE, "--verbose": VARIABLE}
"""Options before the command → the environment variable that each sets to 1."""


def stage(
    run: Callable[..., Any], argv: Sequence[str] | None = None, composes: bool = False
) -> None:
    """Run a stage or command. A GraftError or a signal ends the process with a message
    and no traceback.

    Args:
        run: function to run; its signature defines the arguments.
        argv: arguments; by default those of the process.
        composes: whether the option -S is accepted; true for commands, not for stages.
    """
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
        sys.exit(signals.report(number, is_stage=not composes))


def call(run: Callable[..., Any], argv: Sequence[str], composes: bool = False) -> Any:
    """Run `run` with arguments from the command line and sections of params.yaml.

    With the option --json (a parameter `json` of `run`), the value that `run` returns
    is printed as JSON. If it has the key `exit_status`, the process ends with it.

    Args:
        run: function to run.
        argv: arguments of the command line.
        composes: whether the option -S is accepted. With -S, as for `dvc exp run`,
            sections are composed from configs/ instead of read from params.yaml.
    """
    values = vars(make_parser(run, composes).parse_args(argv))
    if sections := sections_of(run):
        params = _load(values.pop(PARAMS_FILE), values.pop(OVERRIDES, []))
        for name, kind in sections.items():
            values[name] = params if kind is Params else params.section(kind)
    first, named = to_arguments(run, values)
    if not named.get("json"):
        return run(*first, **named)
    with redirect_stdout(sys.stderr):  # stdout contains only the document
        document = run(*first, **named)
    print(json.dumps(document, indent=2))  # ASCII: no control characters
    if status := (document or {}).get("exit_status"):
        sys.exit(status)
    return document


def make_parser(run: Callable[..., Any], composes: bool) -> argparse.ArgumentParser:
    """An argument parser for a stage or command."""
    parser = argparse.ArgumentParser()
    fill_parser(parser, run, composes)
    return parser


def fill_parser(
    parser: argparse.ArgumentParser, run: Callable[..., Any], composes: bool
) -> None:
    """Add the arguments of a stage or command to a parser."""
    add_arguments(parser, run, PARAMS)
    if composes and sections_of(run):
        parser.add_argument(
            "-S",
            action="append",
            default=[],
            dest=OVERRIDES,
            metavar="KEY=VALUE",
            help="override of a value in configs/, as for dvc exp run; may be repeated",
        )


def _load(file: Path, overrides: Sequence[str]) -> Params:
    """The parameters of params.yaml, or, with overrides, of configs/."""
    if not overrides:
        LOGGER.debug("parameters from %s", file.absolute())
        return load_params(file)
    from graft.config.compose import compose_params

    return compose_params(overrides)


def main() -> None:
    """Entry point of the program `graft`."""
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
    """The text that `graft --help` prints."""
    width = max(map(len, COMMANDS))
    table = "\n".join(f"  {key:<{width}}  {text}" for key, text in COMMANDS.items())
    return (
        f"usage: graft [-q] [-v] COMMAND …\n\n{table}\n\n"
        "  -q, --quiet    no progress bars\n"
        "  -v, --verbose  debug messages, and a traceback after an error\n"
        "  -V, --version  print the installed version\n\n"
        "graft COMMAND --help describes a command and its options."
    )
