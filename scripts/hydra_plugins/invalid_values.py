"""Refuses invalid overrides and values before DVC writes them to params.yaml.

DVC writes every composition of Hydra without validating it. If only the first stage
refused a value, params.yaml would already be overwritten, or the queue would be full of
experiments that fail. DVC loads this plugin before it composes; the plugin lets graft
validate the composition of `dvc exp run -S`, or each combination of a sweep.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from dvc.cli import DvcParserError, parse_args
from dvc.exceptions import DvcException
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import get_hydra_sweeps
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

PARAMS = "params.yaml"
CHECK = (
    "from graft import cli; from graft.config import compose; "
    "cli.stage(compose.check_sweep)"
)


class InvalidValues(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Checks the values; does not change the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if the stages would refuse a composition."""
        # Only `dvc exp run` composes for a user; other programs use Hydra, too.
        words = sys.argv[1:]
        if "exp" not in words and "experiments" not in words:
            return
        if Path(".dvc").is_dir() and (error := _find_error(tuple(words))):
            raise DvcException(f"{error}\n  {PARAMS} was not changed")


@cache  # DVC composes once for each combination of a sweep
def _find_error(arguments: tuple[str, ...]) -> str:
    """The error in the overrides of this command; empty if they are valid."""
    try:
        options = parse_args(arguments)
        overrides = to_path_overrides(getattr(options, "set_param", None) or ())
    except DvcParserError:  # the arguments of another program that calls DVC
        return ""
    sweeps = [sweep.get(PARAMS, []) for sweep in get_hydra_sweeps(overrides)]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, json.dumps(sweeps)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip().removeprefix("error: ") if done.returncode else ""
