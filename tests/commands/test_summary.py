from pathlib import Path

import pytest

from graft import io
from graft.commands import summary
from graft.config import RegistryConfig

REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///a.db")


def make(folder: Path) -> dict[str, Path]:
    """What evaluate leaves, as far as the summary reads it."""
    scores = {
        "base": {"bleu": 1.5},
        "tuned": {"bleu": 61.25},
        "requirements": "failed",
        "requirements_failed": ["BLEU is 61.25; at least 70 required (bleu.min)"],
        "intervals": {"base": {"bleu": [1, 2]}, "tuned": {"bleu": [60, 62.5]}},
    }
    io.write_json(folder / "evaluate.json", scores)
    io.write_json(folder / "adapter" / "graft.json", {"run_id": "k"})
    return {
        "report": folder / "evaluate.json",
        "adapter": folder / "adapter",
        "journals": folder,
    }


def test_the_summary_has_scores_version_and_where_to_see_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = make(tmp_path)
    summary.run(REGISTRY, **paths)
    assert "not yet registered" in capsys.readouterr().out
    io.write_json(tmp_path / "evaluate-k.sent.json", {"version": "7"})
    summary.run(REGISTRY, **paths)
    said = capsys.readouterr().out
    assert "1.50   95 % interval 1.00 to 2.00" in said
    assert "61.25   95 % interval 60.00 to 62.50" in said
    assert "m, version 7" in said
    assert "requirements: failed" in said and "at least 70 required" in said
    for command in ("dvc metrics show", "dvc plots show", "dvc exp show"):
        assert command in said
    assert "graft ui" in said


def test_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = summary.run(REGISTRY, **make(tmp_path), json=True)
    assert found is not None and capsys.readouterr().out == ""
    assert (found["model"], found["version"]) == ("m", None)
    assert found["tuned"] == {"bleu": 61.25}
    assert found["intervals"]["tuned"]["bleu"] == [60, 62.5]
    assert found["requirements"] == "failed" and len(found["requirements_failed"]) == 1
