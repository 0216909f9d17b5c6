"""A client of an existing tracking store, with errors of graft."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graft.config import RegistryConfig
from graft.config.secrets import without_secret
from graft.errors import TrackingError
from graft.tracking.moved import follow_artifacts
from graft.tracking.place import alone, sqlite_file, tracking_uri
from graft.tracking.store import first_line, is_refusal, open_mlflow

NO_RUN = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
"""MLflow's error codes if there is no such run."""


class StoreClient:
    """MLflow's client of the configured store.

    Attributes:
        uri: the address, which may contain credentials.
        client: mlflow.MlflowClient. Calls belong into `with store.querying()`.
    Raises: TrackingError if the store does not respond; a SQLite file must exist, since
        MLflow would create it.
    """

    def __init__(self, registry: RegistryConfig) -> None:
        self.uri = tracking_uri(registry, Path.cwd())
        file = sqlite_file(self.uri)
        if file is not None and not file.is_file():
            raise self.not_found("there is no such file")
        with self.querying(), alone(self.uri):
            follow_artifacts(self.uri)
            self.client: Any = open_mlflow(self.uri).MlflowClient()

    def not_found(self, problem: str) -> TrackingError:
        """The error if the store lacks what was asked for."""
        return TrackingError(
            without_secret(self.uri),
            problem,
            expected="a tracking store with runs of the pipeline",
            fix="run the pipeline first (dvc repro), or set registry.tracking_uri, "
            "registry.experiment or MLFLOW_TRACKING_URI to where it ran",
        )

    @contextmanager
    def querying(self) -> Iterator[None]:
        """Raises: TrackingError for whatever MLflow raises inside."""
        try:
            yield
        except TrackingError:
            raise
        except Exception as error:
            raise TrackingError(
                without_secret(self.uri),
                f"the query failed: {first_line(error)}",
                expected="an MLflow tracking store that responds",
                fix="start it, or set MLFLOW_TRACKING_URI; then run this again",
            ) from error

    def run_tags(self, run_id: str) -> dict[str, str] | None:
        """The tags of a run; None if it was deleted."""
        with self.querying():
            try:
                run = self.client.get_run(run_id)
            except Exception as error:  # pylint: disable=broad-exception-caught
                if is_refusal(error, NO_RUN):
                    return None
                raise
        return None if run.info.lifecycle_stage == "deleted" else dict(run.data.tags)

    def fetch(self, run_id: str, path: str, out: Path) -> Path | None:
        """Copy a file or folder of a run's artifacts to `out`; None if it has none."""
        with self.querying():
            parent = path.rpartition("/")[0] or None
            listed = self.client.list_artifacts(run_id, parent)
            if path not in {artifact.path for artifact in listed}:
                return None
            out.mkdir(parents=True, exist_ok=True)
            return Path(self.client.download_artifacts(run_id, path, str(out)))
