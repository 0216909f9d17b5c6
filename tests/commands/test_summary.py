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
        "certificate": folder / "certificate.json",
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


def test_the_summary_has_the_certificate_and_the_decision_of_this_version_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = make(tmp_path)
    way = {"not_run": ""}
    made = {
        "version": "7",
        "status": "passed",
        "reason": "",
        "num_prompts": 32,
        "ways": {"api": way, "pyfunc": way, "merged": {"not_run": "no memory"}},
    }
    io.write_json(paths["certificate"], made)
    line = "m version 7 is champion (before: 6)"
    io.write_json(tmp_path / "decision.json", {"version": "7", "decision": line})
    for version, certificate, gate in (
        ("7", "certificate: passed (api, pyfunc; 32 prompts)", line),
        ("8", "certificate: none", None),
    ):
        io.write_json(tmp_path / "evaluate-k.sent.json", {"version": version})
        summary.run(REGISTRY, **paths)
        told = capsys.readouterr().out
        assert certificate in told and (line in told) == bool(gate)
        found = summary.run(REGISTRY, **paths, json=True)
        assert found is not None and found["decision"] == gate
    io.write_json(tmp_path / "evaluate-k.sent.json", {"version": "7"})
    failed = made | {"status": "failed", "reason": "api: mean KL 1 nats"}
    io.write_json(paths["certificate"], failed)
    summary.run(REGISTRY, **paths)
    assert "certificate: failed: api: mean KL 1 nats" in capsys.readouterr().out


def test_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = summary.run(REGISTRY, **make(tmp_path), json=True)
    assert found is not None and capsys.readouterr().out == ""
    assert (found["model"], found["version"]) == ("m", None)
    assert found["tuned"] == {"bleu": 61.25}
    assert found["intervals"]["tuned"]["bleu"] == [60, 62.5]
    assert found["requirements"] == "failed" and len(found["requirements_failed"]) == 1
