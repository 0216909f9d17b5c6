"""SQLite stores of MLflow, whose tables take seconds to create."""

import functools
import tempfile
import warnings
from pathlib import Path


@functools.cache
def _empty_store() -> bytes:
    """A SQLite file with MLflow's tables and no runs."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow 3.17 uses deprecated SQLAlchemy
        mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
        return (Path(folder) / "mlflow.db").read_bytes()


def make_store(folder: Path) -> str:
    """The address of `mlflow.db` in a folder, an empty store if it was not there."""
    if not (folder / "mlflow.db").exists():
        (folder / "mlflow.db").write_bytes(_empty_store())
    return f"sqlite:///{folder}/mlflow.db"
