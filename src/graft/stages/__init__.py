"""The stages of the line, each a process of its own: python -m graft.stages.NAME

A stage sets how its process waits before torch is loaded, after which it is too late:
OpenMP's threads spin while they wait for each other, and on a busy machine they spin
against the work itself. On two cores with one other busy process, training ran ten
times slower than on idle ones; after a short spin and then sleep, two times, and on
idle ones it costs a seventh (docs/LOG.md).
"""

import os
import sys
from pathlib import Path

from graft.cli.own_code import use_own_code
from graft.cli.signals import exit_stage_at_once
from graft.errors import GraftError

if sys.argv[0] == "-m":  # Python is looking for the stage: nothing else is loaded yet
    try:
        use_own_code(Path.cwd())
    except GraftError as error:
        sys.exit(f"error: {error}")
    exit_stage_at_once()
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
