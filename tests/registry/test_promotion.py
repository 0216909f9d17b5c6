"""Promotions and rollbacks in a real SQLite store."""

import json
from pathlib import Path

import pytest
from registered_versions import EVALUATE, Registered, predict, registry_at

from graft.config import GatedRegistryConfig
from graft.errors import TrackingError
from graft.registry.candidate import Candidate
from graft.registry.decisions import Decision
from graft.registry.log import DecisionLog
from graft.registry.promotion import Promotion
from graft.registry.rollback import roll_back
from graft.tracking.versions import RegisteredVersion

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
POOR, FAIR, GOOD = predict(0.6, seed=1), predict(0.3, seed=2), predict(0.05, seed=3)


def promote(
    registry: GatedRegistryConfig, version: str = "challenger", reason: str = ""
) -> Decision:
    found = Promotion(registry, EVALUATE, version, "graft promote", reason).run()
    assert found is not None
    return found


def test_a_better_version_replaces_the_champion_and_a_worse_one_does_not(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.add(FAIR)
    assert promote(registry).action == "promote" and registered.champion == "1"
    registered.add(POOR)
    assert promote(registry).failed == ["gain"] and registered.champion == "1"
    registered.add(GOOD)
    found = promote(registry)
    assert (found.from_version, found.champion) == ("1", "3")
    assert registered.champion == "3"
    assert registered.models() == ["model"]  # no claim is left


def test_the_log_and_the_tags_say_who_when_and_why(
    registry: GatedRegistryConfig,
    registered: Registered,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    registered.add(POOR)
    promote(registry)
    registered.add(POOR)
    promote(registry)
    registered.add(GOOD)
    promote(registry, reason="the release")
    decisions = DecisionLog.open(registry).read()
    assert [one.action for one in decisions] == ["promote", "refuse", "promote"]
    second, third = decisions[1], decisions[2]
    assert third.by == "ada" and third.reason == "the release"
    assert third.provenance == {"template_hash": "abc"}
    (gain,) = [one for one in third.checks if one["rule"] == "gain"]
    assert {"challenger", "champion", "low", "high", "resampling_error"} <= set(gain)
    assert third.attempt == 2 and second.attempt == 1
    tags = registered.tags("3")
    assert tags["promoted.at"] == third.at and tags["promoted.from"] == "1"
    assert tags["promoted.by"] == "ada, graft promote"
    assert registered.tags("2")["gate"] == "refused: gain (decision 2)"


def test_the_first_champion_needs_requirements(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    for status in ("failed", "none"):
        registered.add(GOOD, requirements=status)
        assert promote(registry).failed == ["requirements"]
    assert registered.champion is None


def test_a_repetition_is_no_new_attempt(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.add(FAIR)
    promote(registry)
    registered.add(POOR)
    assert [promote(registry).attempt for _ in range(2)] == [1, 1]
    registered.add(predict(0.3, seed=9))
    assert promote(registry).attempt == 2


def test_the_best_of_several_versions_pays_for_all_of_them(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.add(FAIR)
    promote(registry)
    for seed in (11, 12, 13):
        registered.add(predict(0.3, seed=seed))
    assert promote(registry, "4").attempt == 3


def test_attempts_on_a_test_set_end(uri: str, registered: Registered) -> None:
    registry = registry_at(uri, max_attempts=2)
    registered.add(FAIR)
    promote(registry)
    failed = []
    for seed in (11, 12, 13):
        registered.add(predict(0.3, seed=seed))
        failed.append(promote(registry).failed)
    assert failed == [["gain"], ["gain"], ["attempts"]]


def test_a_rollback_returns_to_the_champion_before(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    for rows in (POOR, FAIR, GOOD):
        registered.add(rows)
        promote(registry)
    for expected in ("2", "1"):
        found = roll_back(registry, "slow", via="graft rollback")
        assert found is not None and found.to_version == expected
        assert registered.champion == expected
    assert registered.tags("3")["rolled_back.reason"] == "slow"
    with pytest.raises(TrackingError, match="no champion before"):
        roll_back(registry, "slow", via="graft rollback")


def test_a_rolled_back_version_needs_a_reason_to_return(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    for rows in (POOR, GOOD):
        registered.add(rows)
        promote(registry)
    roll_back(registry, "slow", to="1", via="graft rollback")
    assert promote(registry).failed == ["rolled back"]
    assert promote(registry, reason="it was the network").action == "promote"


def test_an_alias_that_was_moved_in_mlflow_is_compared_with(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    for rows in (POOR, FAIR):
        registered.add(rows)
    promote(registry, "1")
    registered.client.set_registered_model_alias("model", "champion", "2")
    registered.add(GOOD)
    assert promote(registry).from_version == "2"
    found = roll_back(registry, "slow", via="graft rollback")
    assert found is not None and found.to_version == "2"


def test_another_test_set_is_refused(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.add(POOR)
    promote(registry)
    registered.add(GOOD[:-1])
    found = promote(registry)
    assert found.failed == ["test set"] and not found.error_rate


def test_predictions_of_a_later_evaluation_are_not_compared(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.add(POOR)
    promote(registry)
    version = registered.add(GOOD)
    registered.client.set_model_version_tag("model", version, "answers", "others")
    with pytest.raises(TrackingError, match="of a later evaluation"):
        promote(registry)


def test_a_changed_line_of_the_log_is_found(
    registry: GatedRegistryConfig, registered: Registered, tmp_path: Path
) -> None:
    for rows in (POOR, FAIR):
        registered.add(rows)
        promote(registry)
    (file,) = tmp_path.glob("mlartifacts/**/decisions.jsonl")
    lines = file.read_text("utf-8").splitlines()
    first, second = lines[0], lines[1]
    assert json.loads(first)["to_version"] == "1"
    file.write_text(f"{first.replace('graft promote', 'nobody')}\n{second}\n")
    with pytest.raises(TrackingError, match="decisions.jsonl:2.*does not follow"):
        DecisionLog.open(registry).read()


def test_a_decision_that_was_interrupted_is_finished_by_the_next(
    registry: GatedRegistryConfig,
    registered: Registered,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for rows in (POOR, FAIR):
        registered.add(rows)
        promote(registry)
    version = registered.add(GOOD)

    def crash(*_: object) -> None:
        raise TrackingError("store", "gone")

    with monkeypatch.context() as patched:
        patched.setattr(DecisionLog, "_apply", crash)
        with pytest.raises(TrackingError, match="gone"):
            promote(registry)
    assert registered.champion == "2"
    assert Promotion(registry, EVALUATE, version, "graft promote").run() is None
    assert registered.champion == version
    assert [one.to_version for one in DecisionLog.open(registry).read()] == [
        "1",
        "2",
        "3",
    ]


def test_the_predictions_of_the_champion_are_generated_again_only_if_necessary(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    calls = []

    def regenerate(_: DecisionLog, version: RegisteredVersion) -> Candidate:
        calls.append(version.version)
        costs = {"tuned/latency_p95_ms": 10.0, "evaluate/memory_gib": 1.0}
        return Candidate(version.version, POOR[:-1], version.tags, costs, "cpu")

    registered.add(POOR)
    promote(registry)
    for rows, expected in ((predict(0.6, seed=8), []), (GOOD[:-1], ["1"])):
        version = registered.add(rows)
        promotion = Promotion(registry, EVALUATE, version, "graft promote")
        promotion.regenerate = regenerate
        promotion.run()
        assert calls == expected
    assert registered.champion == "3"
