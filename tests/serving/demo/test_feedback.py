"""The file that users' feedback goes to, and its way back into the data."""

import json
import os
import stat
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from graft.config import ConvertConfig, DataConfig, EngineConfig, TaskConfig
from graft.config.compose import compose_params
from graft.errors import StorageError
from graft.io import read_json, read_json_lines, read_table
from graft.monitoring import feedback
from graft.monitoring.feedback import append_line
from graft.records import Message
from graft.serving.demo.feedback import Feedback, FeedbackFolder
from graft.stages import convert

ANSWER = Feedback(
    version="translator/3",
    task="translation",
    fields={"source": "The cat sleeps."},
    prompt=[Message(role="user", content="The cat sleeps.")],
    answer="Le chat mange.",
)
WRITER = """
import sys
from pathlib import Path
from graft.monitoring.feedback import append_line
for number in range(100):
    append_line(Path(sys.argv[1]), {"writer": sys.argv[2], "n": number, "x": "é" * 9000})
"""


def rows(path: Path) -> list[dict]:
    return [row for _, row in read_json_lines(path)]


def test_ratings_and_corrections_are_lines_of_two_files(tmp_path: Path) -> None:
    folder = FeedbackFolder(tmp_path / "new")
    folder.add(replace(ANSWER, verdict="bad"))
    folder.add(replace(ANSWER, verdict="bad", correction="Le chat dort."))
    (rating,) = rows(tmp_path / "new/ratings.jsonl")
    (correction,) = rows(tmp_path / "new/corrections.jsonl")
    assert rating["verdict"] == "bad" and rating["correction"] is None
    assert rating["version"] == "translator/3" and rating["time"].endswith("+00:00")
    assert rating["prompt"] == ANSWER.prompt and rating["answer"] == ANSWER.answer
    assert correction["conversation"] == [
        {"role": "user", "content": "The cat sleeps."},
        {"role": "assistant", "content": "Le chat dort."},
    ]


def test_lines_of_several_processes_are_whole_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    command = [sys.executable, "-c", WRITER, str(path)]
    with ExitStack() as stack:
        for name in range(3):
            stack.enter_context(subprocess.Popen([*command, str(name)]))
    found = [(row["writer"], row["n"]) for row in rows(path)]
    assert sorted(found) == [(str(w), n) for w in range(3) for n in range(100)]


def test_a_line_that_was_cut_off_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_text('{"a": 1}\n{"a": ')
    append_line(path, {"a": 2})
    assert path.read_text() == '{"a": 1}\n{"a": \n{"a": 2}\n'


def test_a_line_that_cannot_be_written_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feedback.jsonl"
    append_line(path, {"a": 1})
    write = os.write

    def fill_disk(file: int, data: bytes) -> int:
        if len(data) < 5:
            raise OSError(28, "No space left on device")
        return write(file, data[:5])

    monkeypatch.setattr(feedback.os, "write", fill_disk)
    with pytest.raises(StorageError, match="disk is full"):
        append_line(path, {"a": 2})
    assert path.read_text() == '{"a": 1}\n'


def test_half_a_character_is_stored_as_a_question_mark(tmp_path: Path) -> None:
    append_line(tmp_path / "a.jsonl", {"a": "x\ud800y", "b": "\u2028\n"})
    assert rows(tmp_path / "a.jsonl") == [{"a": "x?y", "b": "\u2028\n"}]


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    append_line(tmp_path / "a.jsonl", {})
    assert stat.S_IMODE((tmp_path / "a.jsonl").stat().st_mode) == 0o600


def run_convert(
    folder: Path, out: Path, task: str, fields: dict[str, str] | None = None
) -> list[dict]:
    """Examples of the stage, with data=feedback, and perhaps other fields."""
    root = f"data.root={folder}"
    params = compose_params(["data=feedback", root, f"task={task}"])
    data = params.section(DataConfig)
    convert.run(
        config=params.section(ConvertConfig),
        data=data.model_copy(update={"fields": fields or data.fields}),
        task=params.section(TaskConfig),
        engine=params.section(EngineConfig),
        out=out / "examples",
        rejects=out / "rejects",
        report=out / "report.json",
    )
    report = read_json(out / "report.json")
    assert report["num_rejected"] == 0, report
    return read_table(out / "examples").to_pylist()


def test_corrections_come_back_as_rows_to_train_on(tmp_path: Path) -> None:
    folder = FeedbackFolder(tmp_path / "feedback")
    folder.add(replace(ANSWER, verdict="good"))
    folder.add(replace(ANSWER, correction="Le chat dort.\nEncore."))
    (example,) = run_convert(folder.path, tmp_path / "out", "translation")
    contents = [(m["role"], m["content"]) for m in example["messages"]]
    assert contents == [
        ("user", "The cat sleeps."),
        ("assistant", "Le chat dort.\nEncore."),
    ]


def test_the_correction_of_a_chat_comes_back_with_its_turns(tmp_path: Path) -> None:
    turns = ["2 + 3?", "5", "and 1?"]
    roles = ["user", "assistant", "user"]
    prompt = [Message(role=r, content=t) for r, t in zip(roles, turns)]
    folder = FeedbackFolder(tmp_path / "feedback")
    chat = replace(ANSWER, task="chat", fields={"message": "and 1?"}, prompt=prompt)
    folder.add(replace(chat, correction="6"))
    fields = {"turns": "conversation"}
    (example,) = run_convert(folder.path, tmp_path / "out", "reasoning", fields)
    assert [m["content"] for m in example["messages"]] == [*turns, "6"]


def test_the_correction_of_a_continued_text_comes_back_as_one_text(
    tmp_path: Path,
) -> None:
    folder = FeedbackFolder(tmp_path / "feedback")
    texts = {"The night was": "cold.", "It rained": ", and", "One ": "two", "A\n": "B"}
    for text, more in texts.items():
        prompt = [Message(role="user", content=text)]
        asked = replace(ANSWER, task="text", fields={"text": text}, prompt=prompt)
        folder.add(replace(asked, correction=more))
    found = run_convert(
        folder.path, tmp_path / "out", "completion", {"text": "document"}
    )
    assert [m["content"] for example in found for m in example["messages"]] == [
        "The night was cold.",
        "It rained, and",
        "One two",
        "A\nB",
    ]


def test_a_row_is_json_in_utf_8(tmp_path: Path) -> None:
    FeedbackFolder(tmp_path).add(replace(ANSWER, correction="Été"))
    line = (tmp_path / "corrections.jsonl").read_bytes()
    assert "Été".encode() in line and json.loads(line)["correction"] == "Été"
