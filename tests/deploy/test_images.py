"""The image that serves on a CPU, built and run without a container engine."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from served_process import register

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
OPTIONS = "GRAFT_IMAGE_OPTIONS"
"""Options of buildah, for another base or another index of packages: docs/IMAGES.md."""
MAX_MB = "1500"


def run(script: str, *words: str) -> str:
    done = subprocess.run(
        [f"scripts/ci/{script}", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(name="image", scope="module")
def _image() -> str:
    if os.geteuid() or shutil.which("buildah") is None:
        pytest.skip("needs buildah and root (or `buildah unshare`)")
    name = "localhost/graft-serve-cpu"
    run("build_image.sh", "serve-cpu", name, *shlex.split(os.environ.get(OPTIONS, "")))
    return name


def test_it_has_no_compiler_no_secret_and_no_more_than_its_budget(image: str) -> None:
    assert "MB, at most 1500" in run("check_image.sh", image, MAX_MB)


def test_its_user_answers_a_chat_request_on_a_read_only_root(
    image: str, tmp_path: Path
) -> None:
    register(tmp_path, "champion")
    for folder in [tmp_path, *tmp_path.parents][:3]:  # pytest's are closed to others
        folder.chmod(0o755)
    said = run("try_image.sh", image, str(tmp_path), "models", "graft-translation")
    ready, answer = said.splitlines()
    assert ready.startswith("ready after ")
    assert answer.strip()
