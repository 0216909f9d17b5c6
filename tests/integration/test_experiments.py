"""The five kinds of work, each whole: rows in, a registered adapter out.

From a clone of what git has, by `dvc exp run`, as a user would.
"""

import json
import os
import subprocess
from pathlib import Path

import mlflow
import pytest
from toy_repo import BIN, ROOT

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
MINIATURES = {
    "translation_tiny": "graft-translation",
    "instructions_tiny": "graft-instructions-tiny",
    "completion_novel_tiny": "graft-completion-tiny",
    "domain_qa_tiny": "graft-question-answering-tiny",
    "reasoning_chat_tiny": "graft-reasoning-tiny",
}
OURS = ("MLFLOW_", "OMP_NUM_THREADS")
"""What the tests set for themselves, and a user has not."""
FALLING = {"perplexity", "bits_per_byte"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone") / "graft"
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("experiment", MINIATURES)
def test_a_miniature_learns_its_task_and_is_registered(
    clone: Path, experiment: str
) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    subprocess.run(
        [BIN / "dvc", "exp", "run", "-S", f"+experiment={experiment}"],
        cwd=clone,
        env=kept
        | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(clone / "src"),
            "DVC_NO_ANALYTICS": "1",
        },
        check=True,
    )
    report = json.loads((clone / "reports/evaluate.json").read_text(encoding="utf-8"))
    first = next(iter(report["tuned"]))
    low, high = report["intervals"]["difference"][first]
    assert high < 0 if first in FALLING else low > 0
    for output in ("report.html", "README.md", "samples.json"):
        assert (clone / "evaluation" / output).stat().st_size
    client = mlflow.MlflowClient(f"sqlite:///{clone / 'mlflow.db'}")
    (version,) = client.search_model_versions(f"name = '{MINIATURES[experiment]}'")
    assert version.tags["certificate"] == "passed", version.tags["certificate/reason"]
    found = client.get_run(version.run_id)
    assert found.data.metrics[f"tuned/{first}"] == pytest.approx(
        report["tuned"][first], abs=0.006
    )
