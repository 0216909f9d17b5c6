"""The journal of a run that may be killed."""

from pathlib import Path

import pytest

from graft.inference.run_journal import RunJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "journal.jsonl"


def test_a_later_process_reads_what_was_put(path):
    parts = {"a": {"values": [0.1 + 0.2, 1e-300]}, "b": [1], "c": "text\n"}
    journal = RunJournal(path, "run")
    for name, part in parts.items():
        journal.put(name, part)
    later = RunJournal(path, "run")
    assert {name: later.get(name) for name in parts} == parts
    assert len(later) == 3 and later.get("d") is None


def test_a_journal_of_another_run_is_not_read_and_is_overwritten(path):
    RunJournal(path, "first").put("a", 1)
    second = RunJournal(path, "second")
    assert second.get("a") is None
    assert RunJournal(path, "first").get("a") == 1, "reading changes nothing"
    second.put("b", 2)
    assert len(RunJournal(path, "first")) == 0
    assert RunJournal(path, "second").get("b") == 2


def test_a_file_cut_anywhere_keeps_its_whole_lines_and_takes_new_ones(path):
    journal = RunJournal(path, "run")
    for name in ("a", "b"):
        journal.put(name, {"value": name})
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        cut = RunJournal(path, "run")
        for name in ("a", "b"):
            if cut.get(name) is None:
                cut.put(name, {"value": name})
        assert path.read_bytes() == whole, end


def test_a_run_that_ended_leaves_no_file(path):
    journal = RunJournal(path, "run")
    journal.remove()
    journal.put("a", 1)
    journal.remove()
    assert not path.exists()
