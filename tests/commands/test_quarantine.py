"""`graft quarantine` on rejects as the stages write them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from stage_rejects import LINES, write_stage_rejects

from graft import io
from graft.commands import quarantine
from graft.curation.decisions import read_decisions
from graft.curation.rejects import STAGES
from graft.errors import ConfigError, DataError
from graft.records import REJECT_SCHEMA


@pytest.fixture
def rejects(tmp_path: Path) -> Path:
    return write_stage_rejects(tmp_path / "rejects")


def chosen(rejects: Path, **flags: Any) -> list[str]:
    """Places of what the flags choose."""
    out = rejects / "chosen.jsonl"
    quarantine.run(rejects=rejects, rows=out, **flags)
    lines = out.read_text(encoding="utf-8").splitlines()
    out.unlink()
    return [json.loads(text)["where"] for text in lines]


def readmitted(rejects: Path, **flags: Any) -> set[str]:
    folder = rejects / "decisions"
    quarantine.run(rejects=rejects, decisions=folder, readmit=True, **flags)
    return set(read_decisions(folder).readmitted)


def test_counts_stand_first_and_then_some_rejects(
    rejects: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quarantine.run(rejects=rejects, limit=2)
    table, first, second, rest = capsys.readouterr().out.split("\n\n")
    lines = [text.split() for text in table.splitlines()]
    assert lines[0] == ["stage", "reason", "rejects"]
    assert lines[1:3] == [
        ["convert", "missing", "field", "2"],
        ["convert", "broken", "JSON", "1"],
    ]
    assert ["preprocess", "too", "long", "3"] in lines and lines[-1] == ["11"]
    assert first.startswith("a.jsonl:1: convert: missing field\n  value: a")
    assert second.startswith("a.jsonl:2: ") and second.endswith("fix: mend broken JSON")
    assert rest == "… and 9 more (--limit)\n"


def test_a_value_cannot_steer_the_terminal(
    rejects: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quarantine.run(rejects=rejects, limit=100)
    said = capsys.readouterr().out
    assert "a\ufffd[2Jb\ufffdc" in said and "more" not in said


@pytest.mark.parametrize(
    ("places", "found"),
    [
        (["a.jsonl:4"], ["a.jsonl:4"]),
        (["a.jsonl:4*"], ["a.jsonl:4", "a.jsonl:40"]),
        (["a.jsonl:?0", "b/c.jsonl:5"], ["a.jsonl:40", "b/c.jsonl:5"]),
        (["a.jsonl"], [f"a.jsonl:{n}" for n in (1, 2, 3, 4, 40)]),
        (["b/"], [f"b/c.jsonl:{n}" for n in range(4, 10)]),
        (["*"], [one["where"] for one in LINES]),
    ],
)
def test_a_place_is_a_row_a_file_a_folder_or_a_pattern(
    rejects: Path, places: list[str], found: list[str]
) -> None:
    assert chosen(rejects, where=places) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"é"', ["a.jsonl:1", "a.jsonl:4"]),
        ("line\nof", ["a.jsonl:4"]),
        ("7", ["a.jsonl:1"]),
        ('{"en": "b', ["a.jsonl:2"]),
        ("ref", [f"{one['where']}" for one in LINES[3:] if one["row"]]),
    ],
)
def test_a_text_is_found_in_what_a_row_says(
    rejects: Path, text: str, found: list[str]
) -> None:
    assert chosen(rejects, contains=text) == found


@pytest.mark.parametrize("text", ["user", "all", "content", "role", "stratum"])
def test_roles_and_names_of_columns_are_nothing_that_a_row_says(
    rejects: Path, text: str
) -> None:
    with pytest.raises(DataError, match=f"no reject matches --contains '{text}'"):
        chosen(rejects, contains=text)


def test_filters_narrow_each_other(rejects: Path) -> None:
    assert chosen(rejects, stage="preprocess", where=["a.jsonl"]) == [
        "a.jsonl:4",
        "a.jsonl:40",
    ]
    both = ["too long", "duplicate"]
    assert chosen(rejects, reason=both, where=["*:4", "*:5"]) == [
        "a.jsonl:4",
        "b/c.jsonl:4",
        "b/c.jsonl:5",
    ]


def test_a_filter_without_matches_is_an_error_with_the_known_reasons(
    rejects: Path,
) -> None:
    with pytest.raises(DataError) as told:
        chosen(rejects, stage="split", reason=["to long"])
    assert "no reject matches --stage split --reason 'to long'" in str(told.value)
    assert "- preprocess: too long: 3" in str(told.value)
    assert not (rejects / "chosen.jsonl").exists()


def test_whole_rows_are_written_to_be_corrected(rejects: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    quarantine.run(rejects=rejects, rows=out, limit=0)
    lines = [json.loads(text) for text in out.read_bytes().decode().splitlines()]
    assert [one["where"] for one in lines] == [one["where"] for one in LINES]
    assert lines[0]["row"] == {"en": 'say "é"', "user": 7}
    assert lines[1]["row"] is None and lines[1]["value"] == '{"en": "b'
    assert lines[2]["row"] == ["\ud800"]
    assert set(lines[3]) == set(REJECT_SCHEMA.names)
    with pytest.raises(ConfigError, match="rows that you have corrected"):
        quarantine.run(rejects=rejects, rows=out)


def test_what_a_rule_dropped_is_readmitted_and_taken_back(
    rejects: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = {f"id of {where}" for where in ("a.jsonl:4", "a.jsonl:40")}
    assert readmitted(rejects, reason=["too long"], where=["a.jsonl"]) == ids
    assert "2 examples re-admitted\nnext:\n  dvc repro" in capsys.readouterr().out
    more = readmitted(rejects, reason=["too long"])
    assert more == ids | {"id of b/c.jsonl:4"}
    assert (
        "1 examples re-admitted, 2 were re-admitted before" in capsys.readouterr().out
    )
    folder = rejects / "decisions"
    quarantine.run(undo=True, where=["a.jsonl"], decisions=folder)
    assert read_decisions(folder).readmitted == {"id of b/c.jsonl:4"}
    with pytest.raises(DataError, match="none of its 1 examples matches --where"):
        quarantine.run(undo=True, where=["a.jsonl"], decisions=folder)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"stage": "convert"}, "correct its source"),
        ({"reason": ["duplicate"]}, "fix: mend duplicate"),
        ({"stage": "tokenize"}, "fix: mend too many tokens"),
        ({"stage": "split"}, "fix: mend overlaps"),
        ({"contains": "@example.org"}, "add --reason 'personal data'"),
        (
            {"stage": "preprocess"},
            "the other 4 with --stage preprocess --reason 'too long' 'near-duplicate'",
        ),
    ],
)
def test_rejects_that_cannot_be_readmitted_are_an_error_and_none_is(
    rejects: Path, flags: dict[str, Any], told: str
) -> None:
    flags = {"where": ["*"]} | flags
    with pytest.raises(DataError) as error:
        readmitted(rejects, **flags)
    assert told in str(error.value)
    assert not (rejects / "decisions").exists()


def test_personal_data_is_readmitted_by_its_name(rejects: Path) -> None:
    assert readmitted(rejects, reason=["personal data"]) == {"id of b/c.jsonl:7"}


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"readmit": True}, "--readmit: requires a selection"),
        ({"readmit": True, "stage": "preprocess"}, "--readmit: requires a selection"),
        ({"undo": True}, "--undo: requires a selection"),
        ({"undo": True, "contains": "x"}, "combined with --reason and --where"),
        ({"limit": -1}, "--limit: is -1"),
        ({"stage": "train"}, "--stage: is train"),
    ],
)
def test_flags_that_make_no_sense_are_refused(
    rejects: Path, flags: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        quarantine.run(rejects=rejects, decisions=rejects / "decisions", **flags)


def test_a_line_that_has_not_run_or_rejected_nothing_is_no_riddle(
    rejects: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="dvc repro"):
        quarantine.run(rejects=tmp_path / "none")
    for stage in STAGES:
        shutil.rmtree(rejects / stage)
    io.write_batches(rejects / "convert", [], REJECT_SCHEMA)
    quarantine.run(rejects=rejects, reason=["duplicate"])
    assert "no rejects" in capsys.readouterr().out
