"""`graft log` on the journal of a run."""

from pathlib import Path

import pytest
from tracking_stores import make_store

from graft import tracking
from graft.commands import log
from graft.config import RegistryConfig

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)


def test_the_number_of_sent_events_is_printed_or_returned_as_json(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = make_store(tmp_path)
    registry = RegistryConfig(name="m", experiment="e", tracking_uri=uri)
    journal = tmp_path / "run.jsonl"
    with tracking.start_run(registry, journal) as run:
        run.log_metrics({"loss": 1.0}, 1)
    (tmp_path / "run.sent.json").unlink()  # as if nothing had been recorded as sent
    capsys.readouterr()
    found = log.run(registry, journal, json=True)
    assert found is not None and found["journal"] == str(journal)
    assert found["events_sent"] == 2  # metrics and the end of the run
    assert log.run(registry, journal, json=True) == found | {"events_sent": 0}
    assert capsys.readouterr().out == ""
    assert log.run(registry, journal) is None
    assert capsys.readouterr().out == f"{journal}: nothing to send\n"
