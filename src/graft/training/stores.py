"""Opens the checkpoints of the training to resume, here or on a remote."""

from pathlib import Path

from graft.training.checkpoints import FINISHED, CheckpointStore
from graft.training.remote_checkpoints import Remote, RemoteCheckpoints
from graft.training.uploads import Uploads


def open_store(
    checkpoints: Path, key: str, kept: int, remote: Remote | None = None
) -> CheckpointStore:
    """The store of the unfinished training to resume, or of a new one.

    If the remote has a newer whole checkpoint than this machine, it is fetched.

    Args:
        checkpoints: the folder of all configurations.
        key: digest of everything that affects the result.
        kept: how many checkpoints are kept besides the best.
        remote: folder elsewhere that gets copies; None: there are none.
    Raises: StorageError if the remote cannot be used.
    """
    here = {path.name for path in (checkpoints / key).glob("training-*")}
    there = remote.names(key) if remote else set()
    number = max(
        (int(name.removeprefix("training-")) for name in here | there), default=0
    )
    name = f"training-{number:03d}"
    is_finished = (checkpoints / key / name / FINISHED).exists()
    if remote and name in there and not is_finished:
        is_finished = FINISHED in remote.names(f"{key}/{name}")
    if is_finished:
        name = f"training-{number + 1:03d}"
    folder = checkpoints / key / name
    if remote is None:
        return CheckpointStore(folder, kept)
    copies = RemoteCheckpoints(remote, f"{key}/{name}")
    copies.start()
    steps = CheckpointStore(folder, kept).steps()
    copies.fetch_last(folder, steps[-1] if steps else -1)
    return CheckpointStore(folder, kept, Uploads(folder, copies, kept))
