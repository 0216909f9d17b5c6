"""What `graft -v` adds on stderr: debug messages, and a traceback under each error.

`GRAFT_VERBOSE=1` does the same for stages: GRAFT_VERBOSE=1 dvc repro
"""

import logging
import os
import sys
import traceback
from typing import NoReturn

VARIABLE = "GRAFT_VERBOSE"
LOGGER = logging.getLogger("graft")


def is_verbose() -> bool:
    """Whether this process shows debug messages and tracebacks."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def start_logging() -> None:
    """Show graft's debug messages, if that is wanted; call it once."""
    if is_verbose() and not LOGGER.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("debug: %(name)s: %(message)s"))
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.DEBUG)


def fail(error: Exception) -> NoReturn:
    """Print the error that is being handled, and exit with status 1."""
    print(f"error: {error}", file=sys.stderr)
    if is_verbose():
        traceback.print_exc()
    sys.exit(1)
