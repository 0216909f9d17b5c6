"""`graft add` on files of several kinds, in a small repository."""

import csv
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from toy_repo import ToyRepo

from graft.commands.add import run
from graft.errors import ConfigError, DataError, StorageError

ROWS = [{"english": f"The cat {i}.", "french": f"Le chat {i}."} for i in range(120)]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyRepo:
    made = ToyRepo(tmp_path / "repo", {}, {})
    monkeypatch.chdir(made.folder)
    for key in ("HOME", "DVC_NO_ANALYTICS"):
        monkeypatch.setenv(key, made.environment[key])
    return made


def write_csv(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["english", "french"])
        table.writeheader()
        table.writerows(ROWS)
    return path


def staged() -> list[str]:
    words = ["git", "diff", "--cached", "--name-only"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_a_folder_of_the_repository_is_used_in_place(
    repo: ToyRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(repo.folder / "data/raw/mine/pairs.csv")
    run(Path("data/raw/mine"))
    said = capsys.readouterr().out
    assert "english: The cat 0." in said and "120 rows in data/raw/mine," in said
    values = yaml.safe_load(repo.read("configs/data/mine.yaml"))
    assert values["root"] == "data/raw/mine" and values["files"] == {"all": "pairs.csv"}
    assert values["fields"] == {"source": "english", "target": "french"}
    assert (
        staged()
        == [
            "configs/data/mine.yaml",
            "configs/experiment/mine.yaml",
            "data/raw/mine.dvc",
        ]
        or "data/raw/.gitignore" in staged()
    )
    repo("graft", "params", "--override", "+experiment=mine")


def test_a_file_from_elsewhere_is_copied_to_a_folder_of_its_own(
    repo: ToyRepo, tmp_path: Path
) -> None:
    source = tmp_path / "chats.jsonl"
    turns = [{"role": "user", "content": "1?"}, {"role": "assistant", "content": "1"}]
    lines = [json.dumps({"messages": turns, "id": i}) for i in range(5)]
    source.write_text("\n".join(lines), "utf-8")
    run(source, name="own", task="reasoning")
    assert (repo.folder / "data/own/chats.jsonl").is_file() and source.is_file()
    values = yaml.safe_load(repo.read("configs/data/own.yaml"))
    assert values["root"] == "data/own" and values["fields"] == {"turns": "messages"}
    assert "data/own.dvc" in staged()
    repo("graft", "params", "--override", "+experiment=own")


def test_ambiguous_columns_are_an_error_before_anything_is_written(
    repo: ToyRepo, tmp_path: Path
) -> None:
    source = tmp_path / "pairs.tsv"
    source.write_text("a b\tc d\n" * 3, "utf-8")
    with pytest.raises(ConfigError, match="--fields"):
        run(source)
    with pytest.raises(ConfigError, match="none of the first 3 rows has a column 'y'"):
        run(source, columns=["en", "x"], fields=["source=en", "target=y"])
    assert not staged() and not (repo.folder / "data/pairs").exists()
    run(source, columns=["en", "x"], fields=["source=en", "target=x"])
    values = yaml.safe_load(repo.read("configs/data/pairs.yaml"))
    assert values["columns"] == ["en", "x"] and values["quote"] is None


@pytest.mark.usefixtures("repo")
def test_a_name_that_is_taken_or_none_is_an_error(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "pairs.csv")
    with pytest.raises(ConfigError, match="sample.yaml: already exists"):
        run(source, name="sample")
    with pytest.raises(ConfigError, match="not a valid name"):
        run(source, name="../a")
    with pytest.raises(DataError, match="no such file"):
        run(tmp_path / "nothing.csv")
    assert not staged()


def test_without_git_the_refusal_is_that_of_git(
    repo: ToyRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    folder = write_csv(repo.folder / "data/mine/pairs.csv").parent
    with pytest.raises(StorageError, match="git"):
        run(folder)
