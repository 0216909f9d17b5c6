"""The stages of the pipeline, each a separate process: python -m graft.stages.NAME

A stage sets how OpenMP's threads wait, which must happen before torch is loaded: they
spin while they wait, and on a busy machine that slows the work itself. On two cores
with one other busy process, training was ten times slower than on idle ones; with a
short spin and then sleep, two times, at a cost of a seventh on idle ones (docs/LOG.md).
"""

import os
import sys
from pathlib import Path

from graft.errors import GraftError
from graft.process.own_code import use_own_code
from graft.process.signals import exit_stage_at_once

if sys.argv[0] == "-m":  # Python is looking for the stage: nothing else is loaded yet
    try:
        use_own_code(Path.cwd())
    except GraftError as error:
        sys.exit(f"error: {error}")
    exit_stage_at_once()
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
