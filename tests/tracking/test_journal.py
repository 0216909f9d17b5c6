import json
import resource
from pathlib import Path

import pytest

from graft.errors import StorageError, TrackingError
from graft.tracking.journal import Journal


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    book = Journal(tmp_path / "new" / "run.jsonl")
    book.append("start", 1, {"key": "k"})
    book.append("metrics", 2, {"metrics": {"loss": 1.5}, "step": 3})
    again = Journal(book.path)
    assert again.events == book.events
    assert [event.number for event in again.events] == [0, 1]


def test_an_incomplete_line_is_dropped_and_the_next_one_is_complete(
    tmp_path: Path,
) -> None:
    book = Journal(tmp_path / "run.jsonl")
    book.append("start", 1, {"key": "k"})
    with book.path.open("a", encoding="utf-8") as file:
        file.write('{"number": 1, "ki')
    again = Journal(book.path)
    again.append("end", 2, {"status": "FINISHED"})
    assert [event.kind for event in Journal(book.path).events] == ["start", "end"]


@pytest.mark.parametrize("text", ["# a page\n\n", '{"a": 1}\n', "[1]\n"])
def test_another_file_is_an_error_and_is_not_changed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(TrackingError, match="not the journal of a run"):
        Journal(path)
    assert path.read_text() == text


def test_credentials_in_an_address_are_never_written(tmp_path: Path) -> None:
    book = Journal(tmp_path / "run.jsonl")
    book.append("params", 1, {"uri": "see http://ann:pa55@host/x", "n": [{"a": "b"}]})
    assert "pa55" not in book.path.read_text(encoding="utf-8")
    assert "http://host/x" in book.path.read_text(encoding="utf-8")


def test_only_files_that_were_not_sent_are_copied(
    tmp_path: Path,
) -> None:
    (tmp_path / "curves").mkdir()
    for name in ("sent.json", "report.json", "curves/train.csv"):
        (tmp_path / name).write_text(name)
    book = Journal(tmp_path / "run.jsonl")
    for name in ("sent.json", "report.json", "curves"):
        book.append("artifact", 1, {"path": str(tmp_path / name), "folder": ""})
    book.mark_sent(upto=1, mlflow_run="m")
    target = tmp_path / "kept" / "run.jsonl"
    book.keep(target)
    for name in ("sent.json", "report.json", "curves/train.csv"):
        (tmp_path / name).unlink()

    kept = Journal(target)
    assert kept.read_sent() == book.read_sent()
    paths = [kept.file(event, "path") for event in kept.events]
    assert [path.exists() for path in paths] == [False, True, True]
    assert paths[1].read_text() == "report.json"
    assert (paths[2] / "train.csv").read_text() == "curves/train.csv"
    kept.keep(target)  # once more, with the copies as sources
    assert paths[1].read_text() == "report.json"


def test_a_journal_is_lines_of_json(tmp_path: Path) -> None:
    book = Journal(tmp_path / "run.jsonl")
    book.append("metrics", 7, {"metrics": {"é": 1.0}, "step": 0})
    (line,) = book.path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == vars(book.events[0])


def test_a_full_disk_leaves_the_previous_lines_intact(tmp_path: Path) -> None:
    book = Journal(tmp_path / "run.jsonl")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StorageError, match="run.jsonl"):
            for step in range(100):
                book.append("metrics", 1, {"metrics": {"loss": 1.0}, "step": step})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert book.path.stat().st_size < 1000
    again = Journal(book.path)
    assert again.events == book.events and len(again.events) > 5
    again.append("end", 2, {"status": "FAILED"})
    assert Journal(book.path).events[-1].kind == "end"
