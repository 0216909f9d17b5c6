"""The stages of the line. Each runs as a process of its own: python -m graft.stages.NAME

A stage sets how its process waits before torch is loaded, after which it is too late:
OpenMP's threads spin while they wait for each other, and on a busy machine they spin
against the work itself. On two cores with one other busy process training took ten
times as long (docs/LOG.md). Waiting asleep costs nothing measurable on an idle one.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
