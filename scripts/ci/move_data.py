"""Prove that DVC and MLflow can use the buckets that the environment names.

python scripts/ci/move_data.py FOLDER
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

TEXT = "une ligne\n" * 1000


def run(folder: Path, *words: str) -> None:
    """Run a command in a folder. Raises: CalledProcessError."""
    subprocess.run(words, cwd=folder, check=True)


def move_through_dvc(project: Path, remote: str) -> None:
    """Push a file, lose it and its cache, and pull it.

    Raises: SystemExit if it has changed.
    """
    project.mkdir(parents=True)
    data = project / "data.txt"
    data.write_text(TEXT, encoding="utf-8")
    run(project, "dvc", "init", "--quiet", "--no-scm")
    run(project, "dvc", "remote", "add", "--default", "bucket", remote)
    run(project, "dvc", "add", "--quiet", data.name)
    run(project, "dvc", "push", "--quiet")
    data.unlink()
    shutil.rmtree(project / ".dvc/cache")
    run(project, "dvc", "pull", "--quiet")
    if data.read_text(encoding="utf-8") != TEXT:
        sys.exit("error: dvc pull brought another file")


def move_through_mlflow(folder: Path, artifacts: str) -> None:
    """Log an artifact and download it. Raises: SystemExit if it has changed."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("emulator", artifact_location=artifacts)
    run_id = client.create_run(experiment).info.run_id
    client.log_text(run_id, TEXT, "text.txt")
    found = Path(client.download_artifacts(run_id, "text.txt", str(folder)))
    if found.read_text(encoding="utf-8") != TEXT:
        sys.exit("error: MLflow brought another artifact")


def main() -> None:
    """Use GRAFT_S3_URL and MLFLOW_ARTIFACTS_DESTINATION."""
    folder = Path(sys.argv[1])
    move_through_dvc(folder, os.environ["GRAFT_S3_URL"])
    move_through_mlflow(folder, os.environ["MLFLOW_ARTIFACTS_DESTINATION"])


if __name__ == "__main__":
    main()
