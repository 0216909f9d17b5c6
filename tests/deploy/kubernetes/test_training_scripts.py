"""The scripts of the training Jobs, run with git, DVC and processes of this machine."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from kubernetes_manifests import FOLDER
from waiting import wait_until

CHECKOUT = FOLDER / "training/single-node/checkout.sh"
PIPELINE = FOLDER / "training/single-node/pipeline.sh"
JOIN = FOLDER / "components/ray/join.sh"
NODE = FOLDER / "components/torchrun/node.sh"


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "one")
    return folder


def commit(folder: Path, text: str) -> str:
    (folder / "dvc.lock").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", text)
    return git(folder, "rev-parse", "HEAD")


def check_out(repository: Path, project: Path, revision: str = "main") -> str:
    values = {"GRAFT_REPOSITORY": str(repository), "GRAFT_REVISION": revision}
    done = subprocess.run(
        ["bash", str(CHECKOUT), str(project)],
        env=os.environ | values,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_pod_after_an_evicted_one_keeps_what_was_finished(
    repository: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    check_out(repository, project)
    (project / "dvc.lock").write_text("a stage has finished")
    (project / "checkpoints").mkdir()
    assert "resuming" in check_out(repository, project)
    assert (project / "dvc.lock").read_text() == "a stage has finished"
    assert (project / "checkpoints").is_dir()


def test_another_revision_is_checked_out_beside_old_checkpoints(
    repository: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    check_out(repository, project)
    (project / "dvc.lock").write_text("a stage has finished")
    (project / "checkpoints").mkdir()
    revision = commit(repository, "two")
    assert revision in check_out(repository, project, revision)
    assert (project / "dvc.lock").read_text() == "two"
    assert (project / "checkpoints").is_dir()


def pipeline(folder: Path, command: str) -> Path:
    """A project with one stage."""
    folder.mkdir()
    subprocess.run(["dvc", "init", "--quiet", "--no-scm"], cwd=folder, check=True)
    stage = f"stages:\n  one:\n    cmd: {command}\n    always_changed: true\n"
    (folder / "dvc.yaml").write_text(stage)
    return folder


@pytest.mark.parametrize("status", (0, 137))
def test_the_job_ends_with_the_status_of_the_stage(tmp_path: Path, status: int) -> None:
    project = pipeline(tmp_path / "project", f"sh -c 'exit {status}'")
    done = subprocess.run(["bash", str(PIPELINE)], cwd=project, check=False)
    assert done.returncode == status


def test_an_error_of_dvc_itself_keeps_its_status(tmp_path: Path) -> None:
    project = pipeline(tmp_path / "project", "'true'")
    done = subprocess.run(["bash", str(PIPELINE), "unknown"], cwd=project, check=False)
    assert done.returncode == 255


def test_sigterm_reaches_the_stage_and_the_job_waits_for_its_end(
    tmp_path: Path,
) -> None:
    stage = tmp_path / "stage.sh"
    stage.write_text(
        "trap 'sleep 0.5; touch closed; exit 143' TERM\ntouch begun\n"
        "while :; do sleep 0.1; done\n"
    )
    project = pipeline(tmp_path / "project", f"bash {stage}")
    with subprocess.Popen(["bash", str(PIPELINE)], cwd=project) as job:
        wait_until((project / "begun").exists)
        job.send_signal(signal.SIGTERM)
        assert job.wait(60) == 143
    assert (project / "closed").exists()


def node(folder: Path, stage: str, rank: int) -> subprocess.Popen[bytes]:
    """node.sh in a project, with programs in place of the stage and DVC."""
    (folder / "dvc.yaml").write_text(
        f"stages: {{train: {{cmd: bash {folder}/stage --splits data/splits}}}}"
    )
    (folder / "stage").write_text(stage)
    program = folder / "dvc"
    program.write_text('#!/usr/bin/env bash\necho "$@" >committed\n')
    program.chmod(0o755)
    values = {"PATH": f"{folder}:{os.environ['PATH']}", "PET_NODE_RANK": str(rank)}
    return subprocess.Popen(["bash", str(NODE)], cwd=folder, env=os.environ | values)


def test_a_node_runs_the_stage_of_the_project(tmp_path: Path) -> None:
    assert node(tmp_path, 'echo "$@" >called', rank=1).wait(60) == 0
    assert (tmp_path / "called").read_text() == "--splits data/splits\n"
    assert not (tmp_path / "committed").exists()


def test_the_first_node_tells_dvc_that_training_is_done(tmp_path: Path) -> None:
    assert node(tmp_path, "true", rank=0).wait(60) == 0
    assert (tmp_path / "committed").read_text() == "commit --force train\n"


@pytest.mark.parametrize("status", (1, 75, 137))
def test_the_node_ends_with_the_status_of_a_failed_training(
    tmp_path: Path, status: int
) -> None:
    assert node(tmp_path, f"exit {status}", rank=0).wait(60) == status
    assert not (tmp_path / "committed").exists()


def test_the_node_passes_sigterm_on_and_waits_for_the_checkpoint(
    tmp_path: Path,
) -> None:
    stage = (
        "trap 'sleep 0.5; touch closed; exit 143' TERM\ntouch begun\n"
        "while :; do sleep 0.1; done\n"
    )
    job = node(tmp_path, stage, rank=0)
    wait_until((tmp_path / "begun").exists)
    job.send_signal(signal.SIGTERM)
    assert job.wait(60) == 143
    assert (tmp_path / "closed").exists()
    assert not (tmp_path / "committed").exists()


def join(folder: Path, ray: str) -> int:
    """The status of join.sh beside a pipeline.sh, with a program in place of ray."""
    (folder / "join.sh").write_text(JOIN.read_text())
    (folder / "pipeline.sh").write_text('echo "$@" >called; exit 7')
    program = folder / "ray"
    program.write_text(f"#!/usr/bin/env bash\n{ray}\n")
    program.chmod(0o755)
    values = {"PATH": f"{folder}:{os.environ['PATH']}", "RAY_ADDRESS": "head:6379"}
    command = ["bash", "join.sh", "convert", "split"]
    done = subprocess.run(command, cwd=folder, env=os.environ | values, check=False)
    return done.returncode


def test_the_pipeline_runs_on_a_node_of_ray_that_has_no_cores(tmp_path: Path) -> None:
    assert join(tmp_path, 'echo "$@" >joined') == 7
    assert (tmp_path / "called").read_text() == "convert split\n"
    joined = (tmp_path / "joined").read_text().split()
    assert {"--address=head:6379", "--num-cpus=0"} <= set(joined)


def test_a_head_that_does_not_answer_is_tried_again_by_the_job(tmp_path: Path) -> None:
    assert join(tmp_path, "exit 1") == 75
    assert not (tmp_path / "called").exists()
