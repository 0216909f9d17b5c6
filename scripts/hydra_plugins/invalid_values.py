"""Refuse overrides and values that cannot work before DVC writes them to params.yaml.

DVC writes whatever Hydra composes. If only the first stage refused it, params.yaml
would be overwritten already, or the queue full of experiments that fail. DVC loads this
plugin before it composes. The plugin makes graft check the composition of
`dvc exp run -S`, or each combination of a sweep.
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
CHECK = "from graft import cli; from graft.config import compose; cli.stage(compose.check_sweep)"


class InvalidValues(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Checks the values. It adds nothing to the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if a composition would be refused by the stages."""
        if Path(".dvc").is_dir() and (fault := _fault(tuple(sys.argv[1:]))):
            raise DvcException(f"{fault}\n  {PARAMS} stays as it was")


@cache  # DVC composes once for each combination of a sweep
def _fault(words: tuple[str, ...]) -> str:
    """The error in the values of this command; empty if there is none."""
    try:
        asked = to_path_overrides(getattr(parse_args(words), "set_param", None) or ())
    except DvcParserError:  # another program that calls DVC's functions
        return ""
    sweeps = [one.get(PARAMS, []) for one in get_hydra_sweeps(asked)]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, json.dumps(sweeps)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip().removeprefix("error: ") if done.returncode else ""
