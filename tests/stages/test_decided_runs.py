"""Decisions of people, from the commands to the next run of the stages."""

import json
from pathlib import Path
from typing import Any

import pytest
from translation_pairs import preprocess_config

from graft import io
from graft.commands import decide, quarantine
from graft.config import ConvertConfig, EngineConfig
from graft.config.params import load_params
from graft.stages import convert, preprocess

TASK = load_params(Path(__file__).parents[2] / "params.yaml").task
LOCAL = EngineConfig(name="local", cluster=None)
CARD = "4111 1111 1111 1112"


def test_decisions_hold_in_the_next_run_of_the_real_stages(
    tmp_path: Path, make_data, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [
        ("one", "un"),
        ("same", "same"),
        ("x", "x"),
        (f"card {CARD}", "carte perdue hier"),
    ]
    rows = [json.dumps({"en": en, "fr": fr}) for en, fr in pairs]
    (tmp_path / "pairs.jsonl").write_text("\n".join([*rows, "{"]), encoding="utf-8")
    rejects, folder = tmp_path / "rejects", tmp_path / "decisions"
    converted, review = tmp_path / "converted", tmp_path / "review.csv"
    limit, report = ConvertConfig(max_rejects=9), tmp_path / "report.json"
    aside = rejects / "convert"
    convert.run(limit, make_data(), TASK, LOCAL, converted, aside, report)

    def clean() -> dict[str, Any]:
        out, aside = tmp_path / "clean", rejects / "preprocess"
        preprocess.run(
            preprocess_config(), LOCAL, converted, folder, out, aside, review, report
        )
        return io.read_json(report)

    first = clean()
    assert (first["kept"], first["rejected"]) == (2, {"identical sides": 2})
    quarantine.run(
        rejects=rejects,
        contains="same",
        reason=["identical sides"],
        readmit=True,
        decisions=folder,
    )
    text = review.read_text(encoding="utf-8-sig")
    review.write_text(text.replace("\n,card", "\nyes,card"), encoding="utf-8")
    decide.run(review, decisions=folder)
    second = clean()
    assert (second["kept"], second["rejected"]) == (3, {"identical sides": 1})
    assert (first["personal_data"], second["personal_data"]) == ({}, {"card": 1})
    table = io.read_table(tmp_path / "clean")
    said = [messages[0]["content"] for messages in table["messages"].to_pylist()]
    assert said == ["one", "same", "card [CARD]"]
    assert "preprocess: 4 rows in = 3 kept + 1 rejected" in capsys.readouterr().out
    quarantine.run(undo=True, where=["pairs.jsonl:2"], decisions=folder)
    assert clean()["kept"] == 2
