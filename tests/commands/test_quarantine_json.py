"""`graft quarantine --json`."""

from pathlib import Path
from typing import Any

import pytest
from stage_rejects import write_stage_rejects

from graft.commands import quarantine
from graft.curation.rejects import SHOWN


@pytest.fixture
def rejects(tmp_path: Path) -> Path:
    return write_stage_rejects(tmp_path / "rejects")


def test_counts_and_rejects_as_json(
    rejects: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = quarantine.run(rejects=rejects, limit=2, json=True)
    assert found is not None and capsys.readouterr().out == ""
    assert found["total"] == sum(one["rejects"] for one in found["counts"]) > 2
    assert len(found["rejects"]) == 2
    assert set(found["rejects"][0]) == set(SHOWN)


def test_numbers_of_readmitted_and_removed_examples_as_json(rejects: Path) -> None:
    options: dict[str, Any] = {"decisions": rejects / "decisions", "json": True}
    found = quarantine.run(
        rejects=rejects, readmit=True, reason=["too long"], where=["a.jsonl"], **options
    )
    assert found is not None and found["total"] == 2
    assert (found["readmitted"], found["already_readmitted"]) == (2, 0)
    found = quarantine.run(
        rejects=rejects, readmit=True, reason=["too long"], **options
    )
    assert found is not None
    assert (found["readmitted"], found["already_readmitted"]) == (1, 2)
    found = quarantine.run(undo=True, where=["a.jsonl"], **options)
    assert found == {"removed": 2, "remaining": 1}
