"""The scripts that workflows run, with programs that record how they are called."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CI = ROOT / "scripts/ci"
IMAGE = f"registry/graft-serve-cpu@sha256:{'a' * 64}"
MANIFEST = "image: graft-serve-cpu:latest"
READY = (
    '{"data": [{"id": "m"}], "model": "m/1", "usage": {"completion_tokens": 3}, '
    '"choices": [{"message": {"content": "Hi"}}]}'
)


class Programs:
    """Programs on a path of their own that write their arguments to a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self.log = folder / "calls"
        self.log.touch()

    def add(self, name: str, body: str = "") -> None:
        path = self.folder / name
        path.write_text(
            f'#!/bin/bash\necho "{name} $*" >>{self.log}\n{body}\n', "utf-8"
        )
        path.chmod(0o755)

    def run(self, script: str, *words: str, **variables: str) -> tuple[int, str]:
        """Exit status and output of a script of scripts/ci."""
        done = subprocess.run(
            [CI / script, *words],
            env={
                **os.environ,
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    @property
    def calls(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines()


@pytest.fixture(name="programs")
def _programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


@contextmanager
def api(body: str, status: int = 200) -> Iterator[HTTPServer]:
    """An API that gives every request the same answer, and keeps the last key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # pylint: disable=invalid-name
            self.server.key = self.headers["Authorization"]  # type: ignore[attr-defined]
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:  # type: ignore[override]
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_the_smoke_test_passes_if_the_api_answers_with_the_key(
    programs: Programs,
) -> None:
    with api(READY) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        status, text = programs.run("smoke_test.sh", url, GRAFT_API_KEY="k3y")
        assert (status, vars(server)["key"]) == (0, "Bearer k3y"), text
    assert "m/1 answers: Hi" in text and "k3y" not in text


def test_the_smoke_test_fails_if_nothing_is_ready_or_nothing_is_generated(
    programs: Programs,
) -> None:
    with api(READY, 503) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        status, text = programs.run("smoke_test.sh", url, "1")
    assert status and "not ready after 1 s" in text
    with api(READY.replace(": 3}", ": 0}")) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        assert programs.run("smoke_test.sh", url)[0]


def add_cluster(programs: Programs, before: str, ready: bool = True) -> None:
    """A kubectl with a deployment before, whose new version becomes ready or not."""
    answers = f"""case "$*" in
      kustomize*) echo "{MANIFEST}" ;;
      *"get deployment"*) echo "{before}" ;;
      apply*) cp "$3" {programs.log.with_name('applied')} ;;
      *"rollout status"*15m) exit {0 if ready else 1} ;;
      *port-forward*) exec sleep 60 ;;
    esac"""
    programs.add("kubectl", answers)


def test_a_deployment_that_answers_stays(programs: Programs) -> None:
    add_cluster(programs, "deployment.apps/serving")
    with api(READY) as server:
        port = str(server.server_port)
        status, text = programs.run("deploy.sh", "overlay", IMAGE, SMOKE_PORT=port)
    assert status == 0, text
    assert programs.log.with_name("applied").read_text() == f"image: {IMAGE}\n"
    assert not [call for call in programs.calls if "undo" in call]


@pytest.mark.parametrize("ready", [True, False], ids=["answers not", "not ready"])
def test_a_deployment_that_fails_is_undone(programs: Programs, ready: bool) -> None:
    add_cluster(programs, "deployment.apps/serving", ready)
    with api("{}", 500) as server:
        port = {"SMOKE_PORT": str(server.server_port), "SMOKE_SECONDS": "1"}
        status, text = programs.run("deploy.sh", "overlay", IMAGE, **port)
    assert status == 1 and "rolled back" in text
    assert [
        call for call in programs.calls if "rollout undo deployment/serving" in call
    ]


def test_a_first_deployment_that_fails_has_nothing_to_return_to(
    programs: Programs,
) -> None:
    add_cluster(programs, "", ready=False)
    status, text = programs.run("deploy.sh", "overlay", IMAGE)
    assert status == 1 and "rolled back" not in text
    assert not [call for call in programs.calls if "undo" in call]


def test_an_image_without_a_digest_is_refused(programs: Programs) -> None:
    programs.add("kubectl")
    status, text = programs.run("deploy.sh", "overlay", "registry/graft-serve-cpu:v1")
    assert status == 64 and "digest" in text
    assert not programs.calls


def test_training_checks_pulls_runs_and_pushes_in_this_order(
    programs: Programs,
) -> None:
    for name in ("graft", "dvc"):
        programs.add(name)
    status, text = programs.run(
        "train.sh", "longer", "train.epochs=3", "+experiment=a b"
    )
    assert status == 0, text
    assert programs.calls == [
        "graft doctor",
        "graft remote",
        "dvc pull --run-cache --allow-missing",
        "dvc exp run --name longer --set-param train.epochs=3 "
        "--set-param +experiment=a b",
        "dvc push --run-cache",
        "dvc exp push origin longer",
    ]


def test_training_that_fails_pushes_nothing(programs: Programs) -> None:
    programs.add("graft")
    programs.add("dvc", '[ "$1 $2" != "exp run" ]')
    assert programs.run("train.sh", "longer")[0]
    assert not [call for call in programs.calls if "push" in call]
    for name in ("Upper", "--force", "a;b", ""):
        assert programs.run("train.sh", name)[0]


def test_the_machine_is_started_and_stopped_and_waited_for(programs: Programs) -> None:
    programs.add("aws")
    assert programs.run("gpu_machine.sh", "start", "i-1")[0] == 0
    assert programs.run("gpu_machine.sh", "stop", "i-1")[0] == 0
    assert programs.run("gpu_machine.sh", "terminate", "i-1")[0] == 64
    assert [call.split(" --")[0] for call in programs.calls] == [
        "aws ec2 start-instances",
        "aws ec2 wait instance-status-ok",
        "aws ec2 stop-instances",
        "aws ec2 wait instance-stopped",
    ]


def test_an_image_is_built_with_the_labels_of_its_commit_and_pushed_by_digest(
    programs: Programs,
) -> None:
    programs.add("git", 'case "$1" in rev-parse) echo abc ;; log) echo 7 ;; esac')
    programs.add("buildah", '[ "$1" != push ] || echo -n sha256:1 >"$4"')
    assert (
        programs.run("build_image.sh", "serve-cpu", "name", "--build-arg", "X=1")[0]
        == 0
    )
    build = programs.calls[-1]
    for part in ("--target serve-cpu", "--tag name", "--timestamp 7", "REVISION=abc"):
        assert part in build
    assert build.endswith("--build-arg X=1 .")
    assert programs.run("push_image.sh", "name", "r/n:v1") == (0, "sha256:1")


def test_a_miniature_is_composed_and_run(programs: Programs) -> None:
    for name in ("graft", "dvc"):
        programs.add(name)
    assert programs.run("miniature.sh", "sums")[0] == 0
    assert programs.calls == ["graft params --override +experiment=sums", "dvc repro"]
