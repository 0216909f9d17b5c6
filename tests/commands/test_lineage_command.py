"""`graft lineage` in a folder under git and DVC, on a real SQLite store."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pyarrow as pa
import pytest
import yaml
from lineages import make_lineage
from tracking_stores import make_store

from graft import cli, io
from graft.cloud.data import md5_of
from graft.commands import lineage as command
from graft.errors import ConfigError, StorageError
from graft.records import EXAMPLE_SCHEMA
from graft.registry.lineage import to_outputs

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ROOT = Path(__file__).parents[2]
Ask = Callable[..., Any]


def write_splits(folder: Path) -> None:
    """Splits with one example in train."""
    row: dict[str, Any] = dict.fromkeys(EXAMPLE_SCHEMA.names, "x")
    row |= {"id": "a1", "where": "pairs.jsonl:1", "messages": [], "references": []}
    for split, rows in {"train": [row], "validation": [], "test": []}.items():
        table = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
        io.write_batches(folder / split, [table], EXAMPLE_SCHEMA)


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder under DVC with splits, and a store with one version trained on them."""
    root = tmp_path_factory.mktemp("project")
    for words in (["init", "-q", "--no-scm"], ["add", "-q", "data/splits"]):
        write_splits(root / "data/splits")
        subprocess.run([sys.executable, "-m", "dvc", *words], check=True, cwd=root)
    md5 = md5_of(root, root / "data/splits")
    out = {"path": "data/splits", "md5": md5, "size": 1}
    stages = {
        "split": {"outs": [out], "deps": []},
        "train": {"deps": [out], "outs": []},
    }
    lineage = make_lineage(
        lock={"stages": stages},
        outputs=tuple(to_outputs({"stages": stages}, "", frozenset())),
    )
    io.write_json(root / "lineage.json", lineage)
    uri = make_store(root)
    client: Any = mlflow.MlflowClient(uri, registry_uri=uri)
    place = client.create_experiment("graft", (root / "mlartifacts").as_uri())
    run = client.create_run(place).info.run_id
    client.log_artifact(run, str(root / "lineage.json"), "lineage")
    client.create_registered_model("model")
    tags = {"graft.evaluation": "r1-e1"}
    client.create_model_version("model", (root / "model").as_uri(), run, tags)
    client.set_registered_model_alias("model", "champion", "1")
    return root


@pytest.fixture(name="ask")
def _ask(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs the command with the options of a command line, in a copy of the project."""
    root = shutil.copytree(project, tmp_path / "project")
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    uri = "sqlite:///mlflow.db"
    params["registry"] |= {"name": "model", "tracking_uri": uri}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(root)
    return lambda *words: cli.call(command.run, words, True)


def test_the_lineage_of_the_champion_is_shown_in_four_forms(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask()
    assert "model 1 (champion)" in capsys.readouterr().out
    ask("models:/model@champion", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["lineage"]["commit"] == "c" * 40
    assert document["commit_state"] == "missing"
    ask("1", "--mermaid")
    assert capsys.readouterr().out.startswith("flowchart LR")
    ask("1", "--html", "page.html")
    assert capsys.readouterr().out == "see page.html\n"
    assert "Lineage of model" in Path("page.html").read_text("utf-8")


def test_a_row_and_data_are_found_in_the_versions(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("--row", "a1")
    assert "1 of 1 versions trained on it" in capsys.readouterr().out
    ask("--row", "nobody", "--json")
    (found,) = json.loads(capsys.readouterr().out)["versions"]
    assert found["state"] == "absent"
    ask("--data", "data/splits")
    assert "TRAINED" in capsys.readouterr().out
    (file,) = Path("data/splits/train").iterdir()
    ask("--data", str(file))
    told = capsys.readouterr()
    assert "TRAINED" in told.out and "is part of data/splits" in told.err
    ask("--data", "0" * 32)
    assert "0 of 1" in capsys.readouterr().out


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_status_is_1_if_data_are_missing(
    ask: Ask, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    for file in Path(".dvc/cache/files/md5").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(SystemExit) as ended:
        ask("--row", "a1", *options)
    assert ended.value.code == 1
    told = capsys.readouterr().out
    assert "neither in the cache nor on the remote" in told and "unknown" in told


def test_options_that_exclude_each_other_and_missing_paths_are_errors(
    ask: Ask,
) -> None:
    with pytest.raises(ConfigError, match="can only be combined with --json"):
        ask("--row", "a1", "--data", "b")
    with pytest.raises(ConfigError, match="can only be combined with --json"):
        ask("champion", "--row", "a1")
    with pytest.raises(StorageError, match="no such file or folder"):
        ask("--data", "nothing/here")
