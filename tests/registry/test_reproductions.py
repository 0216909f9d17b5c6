"""Reproduction in a repository whose stages only copy files."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from copied_versions import LOGGED, PREDICTIONS, NoStore, Project
from generations import CPU, make_generated, make_prediction

from graft.errors import GraftError, ModelError, StorageError
from graft.inference.generated import write_generated
from graft.registry.lineage_versions import VersionLineage
from graft.registry.reproduce import Reproducer, Reproduction
from graft.registry.reproduce_checkout import Checkout


@pytest.fixture(name="original", scope="module")
def _original(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("original"))


@pytest.fixture(name="project")
def _project(original: Project, tmp_path: Path) -> Project:
    """A copy that a test may change."""
    return original.copy(tmp_path / "project")


def reproduce(
    project: Project, known: VersionLineage, tmp_path: Path, tolerance: float = 0.5
) -> Reproduction:
    """Reproduce a version in a new folder."""
    (tmp_path / "checkout").mkdir()
    store: Any = NoStore()
    reproducer = Reproducer(known, project.folder, project.data, store)
    return reproducer.run(tmp_path / "checkout", False, tolerance)


def test_the_same_code_and_data_give_equal_predictions(
    project: Project, tmp_path: Path
) -> None:
    found = reproduce(project, project.known(), tmp_path)
    assert found.is_equal and found.commit == project.commit
    assert found.predictions.num_texts == 4 and not found.scores and not found.notes
    assert found.tolerance == 0 and "exit_status" not in found.to_json()
    assert project.repo("git", "status", "--short") == ""


@pytest.mark.parametrize(("device", "is_equal"), [(CPU, False), ("NVIDIA H100", True)])
def test_a_text_that_differs_is_within_the_tolerance_only_on_another_device(
    project: Project, tmp_path: Path, device: str, is_equal: bool
) -> None:
    shutil.rmtree(project.folder / "given")
    other = [make_prediction("1", "a b x"), LOGGED[1]]
    write_generated(project.folder / "given", make_generated(*other, device=device))
    project.commit = project.save()
    found = reproduce(project, project.known(), tmp_path)
    assert found.is_equal == is_equal and found.predictions.different == ["1"]
    assert any("other device" in note for note in found.notes) == is_equal
    assert found.to_json().get("exit_status", 0) == 1 - is_equal


def test_scores_that_differ_are_named(project: Project, tmp_path: Path) -> None:
    scores = {"base": {"bleu": 0.0}, "tuned": {"bleu": 84.0}}
    found = reproduce(project, project.known(scores=scores), tmp_path)
    assert not found.is_equal
    assert found.scores == {"tuned/bleu": (84.0, 83.06)}


def test_the_commit_of_the_version_runs_whatever_was_changed_since(
    project: Project, tmp_path: Path
) -> None:
    known = project.known()
    project.write("code.txt", "code 2")
    project.save()
    assert reproduce(project, known, tmp_path).commit == project.commit


def test_an_amended_commit_is_replaced_by_one_with_the_same_lock(
    project: Project, tmp_path: Path
) -> None:
    known = project.known(commit="0" * 40)
    known = replace(known, commit_state="missing", commits=[project.commit])
    assert reproduce(project, known, tmp_path).is_equal


def fail(project: Project, known: VersionLineage, tmp_path: Path) -> GraftError:
    """The error of a reproduction."""
    with pytest.raises(GraftError) as caught:
        reproduce(project, known, tmp_path)
    return caught.value


def test_a_commit_that_is_nowhere_is_an_error(project: Project, tmp_path: Path) -> None:
    known = replace(project.known(commit="0" * 40), commit_state="missing")
    error = fail(project, known, tmp_path)
    assert isinstance(error, StorageError)
    assert "is not in this repository" in error.problem


def test_uncommitted_code_is_an_error(project: Project, tmp_path: Path) -> None:
    project.write("code.txt", "code 2")
    commit = project.save()
    known = project.known(commit=commit, changes=("code.txt",))
    error = fail(project, known, tmp_path)
    assert isinstance(error, ModelError)
    assert f"{commit[:12]}: generate" in error.problem
    assert "(code.txt) are unknown" in error.problem


@pytest.mark.parametrize("md5", ["splits", PREDICTIONS])
def test_missing_data_are_an_error(project: Project, tmp_path: Path, md5: str) -> None:
    shutil.rmtree(project.data.root / md5)
    error = fail(project, project.known(), tmp_path)
    assert isinstance(error, StorageError) and md5 in str(error)


def test_a_stage_that_fails_is_an_error(project: Project, tmp_path: Path) -> None:
    shutil.rmtree(project.folder / "given")
    project.commit = project.save()
    error = fail(project, project.known(), tmp_path)
    assert "stage generate fails" in error.problem


def test_a_stage_writes_into_a_store_of_its_own(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://example.org")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://example.org")
    monkeypatch.setenv("DVC_EXP_NAME", "other")
    stage = {"cmd": "env > env.txt"}
    text = yaml.safe_dump({"stages": {"generate": stage}})
    project.write("dvc.yaml", text)
    commit = project.save()
    known = project.known(lock={}, outputs=())
    folder = tmp_path / "checkout"
    checkout = Checkout(folder, project.folder, commit, known.lineage)
    assert checkout.run("generate") == 0
    lines = (folder / "env.txt").read_text("utf-8").splitlines()
    assert f"MLFLOW_TRACKING_URI=sqlite:///{folder}/mlflow.db" in lines
    assert not [line for line in lines if "example.org" in line or "=other" in line]
    (path,) = (line for line in lines if line.startswith("PATH="))
    assert path.startswith(f"PATH={Path(sys.executable).parent}{os.pathsep}")


def test_a_stage_that_the_pipeline_lacks_is_an_error(
    project: Project, tmp_path: Path
) -> None:
    lineage = project.known().lineage
    checkout = Checkout(tmp_path / "checkout", project.folder, project.commit, lineage)
    with pytest.raises(ModelError, match="stage train cannot be read"):
        checkout.run("train")


def test_a_base_model_that_git_lacks_is_linked(
    project: Project, tmp_path: Path
) -> None:
    known = project.known(base="bases/local")
    (project.folder / "bases/local").mkdir(parents=True)
    folder = tmp_path / "checkout"
    Checkout(folder, project.folder, project.commit, known.lineage)
    assert (folder / "bases/local").resolve() == project.folder / "bases/local"
    missing = project.known(base="models/missing").lineage
    with pytest.raises(ModelError, match="not here"):
        Checkout(tmp_path / "other", project.folder, project.commit, missing)
