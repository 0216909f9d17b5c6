"""The command in a project of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graft.cli import call
from graft.commands import doctor

PASSWORD = "pa55-of-the-store"


def copy_project(folder: Path) -> None:
    for name in ("configs", "models/tiny", ".dvc/config", "params.yaml"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(name).is_dir():
            shutil.copytree(name, target)
        else:
            shutil.copy(name, target)


def test_the_repository_has_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    call(doctor.run, ["--limit", "120"], True)
    text = capsys.readouterr().out
    assert "0 errors" in text and "base model" in text


def test_every_error_is_shown_at_once_and_the_status_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_project(tmp_path)
    (tmp_path / "models/tiny/model.safetensors").unlink()
    with (tmp_path / ".dvc/config").open("a") as file:
        file.write("['remote \"a\"']\nurl = /proc/1/no\npassword = pa55\n")
    uri = f"http://ann:{PASSWORD}@127.0.0.1:1"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "only half")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        call(doctor.run, ["--json", "--limit", "120"], True)
    assert ended.value.code == 1
    text = capsys.readouterr().out
    for part in ("lacks *.safetensors", "git keeps it", "half a pair", "not answer"):
        assert part in text
    assert PASSWORD not in text and "pa55" not in text


def test_invalid_parameters_are_one_of_the_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yaml").write_text("train: 1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        call(doctor.run, ["--limit", "120"], True)
    text = capsys.readouterr().out
    assert "error    params.yaml" in text and "ok       machine" in text


def test_heavy_libraries_are_not_imported() -> None:
    code = (
        "import sys; from graft.commands import doctor; from graft.cli import call; "
        "call(doctor.run, ['--limit', '120'], True); "
        "print(sorted({'torch', 'transformers', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
