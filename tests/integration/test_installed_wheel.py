"""A project of the wheel: built, installed, and run where there is no clone."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from own_pairs import write_pairs
from tiny_pipeline import make_base

ROOT = Path(__file__).parents[2]
BUILT = ("MANIFEST.in", "LICENSE", "README.md", "pyproject.toml", "setup.py", "src")
PROJECT = ("configs", "data/raw", "decisions", "dvc.yaml", "scripts", ".dvc")
HIDDEN = (".dvcignore", ".gitignore")


def build(folder: Path) -> Path:
    """The wheel of what git tracks or will track."""
    words = ["git", "ls-files", "-co", "--exclude-standard", "--"]
    listed = subprocess.run(
        [*words, *BUILT, *PROJECT, *HIDDEN], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    flags = ["--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *flags, "-w", folder, "."],
        cwd=folder / "source",
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    shutil.rmtree(folder / "source")
    return wheel


def install(wheel: Path, venv: Path) -> None:
    """A virtual environment of the wheel, with this environment's other packages."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    # A path in a .pth file comes last, and the .pth files in it do not count.
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", wheel]
    subprocess.run(pip, check=True)


@pytest.mark.slow
def test_a_project_of_the_wheel_runs_on_data_of_ones_own(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    install(build(tmp_path), venv)
    make_base(tmp_path / "base")
    write_pairs(tmp_path / "pairs.csv")
    environment = {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DVC_NO_ANALYTICS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "A", f"GIT_{who}_EMAIL": "a@example.org"}

    def bash(command: str, folder: str = "mine") -> str:
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=tmp_path / folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    bash("graft init mine --model base", "")
    bash("git add --all && git commit -qm Start && graft add ../pairs.csv")
    change = "-S +experiment=pairs -S train=tiny"
    said = bash(f"python -m dvc exp run {change} split")
    assert "convert: 400 rows in = 400 kept" in said
    assert "400 sequences = " in said
    said = bash("python -m dvc repro split")
    assert "Running stage 'code'" in said
    assert said.count("didn't change, skipping") == 6, "code alone runs each time"
