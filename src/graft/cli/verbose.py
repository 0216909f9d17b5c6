"""Verbose output on stderr (`graft -v`): debug messages, and tracebacks of errors.

The environment variable enables it for stages: GRAFT_VERBOSE=1 dvc repro
"""

import logging
import os
import sys
import traceback
from typing import NoReturn

VARIABLE = "GRAFT_VERBOSE"
LOGGER = logging.getLogger("graft")


def is_verbose() -> bool:
    """Whether verbose output is enabled."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def start_logging() -> None:
    """Show graft's debug messages if verbose output is enabled."""
    if is_verbose() and not LOGGER.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("debug: %(name)s: %(message)s"))
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.DEBUG)


def fail(error: Exception) -> NoReturn:
    """Print an error, with verbose output also its traceback; exit with its status.

    Call it in the `except` block that handles the error.
    """
    print(f"error: {error}", file=sys.stderr)
    if is_verbose():
        traceback.print_exc()
    sys.exit(getattr(error, "exit_status", 1))
