"""Experiments of DVC that start from one commit, as children of one MLflow run.

DVC names a sweep nowhere: what its experiments share is the commit from which they
start, the baseline. MLflow shows the runs of a sweep under their parent.
"""

import time
from pathlib import Path
from typing import Any

from graft.tracking.place import locked, repository_root

PARENT_TAG = "mlflow.parentRunId"
"""MLflow's tag of a child."""
SWEEP_TAG = "graft.sweep"
"""Tag of the parent: the commit."""
NOTE = (
    "Its children are the experiments of DVC that started from commit `{commit}`. "
    "To compare them: `graft compare`, or `dvc exp show`."
)


def find_parent(client: Any, experiment: str, commit: str) -> str:
    """The id of the run of a sweep, which is created if necessary.

    The workers of DVC's queue share the repository, in which a folder is locked, so two
    that begin at once find the same run.

    Args:
        client: mlflow.MlflowClient.
        experiment: id of the experiment in MLflow.
        commit: the baseline of the sweep.
    """
    folder = repository_root(Path.cwd()) / ".graft"
    folder.mkdir(exist_ok=True)
    with locked(folder):
        condition = f"tags.`{SWEEP_TAG}` = '{commit}'"
        order = ["attributes.start_time ASC"]
        if found := client.search_runs([experiment], condition, order_by=order):
            return str(found[0].info.run_id)
        tags = {SWEEP_TAG: commit, "mlflow.note.content": NOTE.format(commit=commit)}
        made = client.create_run(
            experiment, round(time.time() * 1000), tags, f"sweep on {commit[:7]}"
        )
        client.set_terminated(made.info.run_id)
        return str(made.info.run_id)
