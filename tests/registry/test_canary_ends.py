"""The end of a canary in a real SQLite store, and the gate after a good one."""

from dataclasses import replace
from pathlib import Path

import pytest
from registered_versions import EVALUATE, Registered, predict

from graft.commands import canary as command
from graft.config import GatedRegistryConfig
from graft.config.params import Params, load_params
from graft.monitoring.canary.report import CanaryReport, MetricResult
from graft.registry.canary import end_canary, find_canary, start_canary
from graft.registry.log import DecisionLog
from graft.registry.promotion import Promotion
from graft.serving.live_canary import apply_report

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FAIR, GOOD = predict(0.3, seed=2), predict(0.05, seed=3)
WORSE = MetricResult(
    "errors", "failed", "points", "canary", "worse", 100, 100, 0.5, 0.0, 0.5, 0.3
)
REPORT = CanaryReport(
    "rollback", "errors: 50 %", True, 0, canary="model/2", metrics=(WORSE,)
)


@pytest.fixture(name="params")
def _params(registry: GatedRegistryConfig, registered: Registered) -> Params:
    """With a champion, version 1, and a challenger, version 2."""
    registered.add(FAIR)
    Promotion(registry, EVALUATE, "challenger", "graft promote").run()
    registered.add(GOOD)
    plain = load_params(Path(__file__).parents[2] / "params.yaml")
    return plain.model_copy(update={"registry": registry, "evaluate": EVALUATE})


def with_promotion(params: Params, promote: bool) -> Params:
    canary = params.monitoring.canary.model_copy(update={"promote": promote})
    monitoring = params.monitoring.model_copy(update={"canary": canary})
    return params.model_copy(update={"monitoring": monitoring})


def actions(params: Params) -> list[str]:
    return [one.action for one in DecisionLog.open(params.registry).read()]


def test_a_rollback_ends_the_canary_once_and_logs_why(
    params: Params, registered: Registered
) -> None:
    found = apply_report(params, REPORT)
    assert found is not None and found.failed == ["canary errors"]
    assert (found.to_version, found.champion, found.alias) == ("2", "1", "challenger")
    assert apply_report(params, REPORT) is None
    assert actions(params) == ["promote", "end_canary"]
    assert find_canary(params.registry) is None and registered.champion == "1"
    assert registered.tags("2")["canary_ended.reason"] == "rollback: errors: 50 %"
    promotion = Promotion(params.registry, EVALUATE, "2", "graft promote")
    refused = promotion.run()
    assert refused is not None and refused.failed == ["canary"]
    promotion.reason = "the network was at fault"
    decided = promotion.run()
    assert decided is not None and decided.action == "promote"


def test_a_verdict_on_an_earlier_canary_does_not_end_the_present_one(
    params: Params, registered: Registered
) -> None:
    registered.add(GOOD)
    assert apply_report(params, REPORT) is None
    found = find_canary(params.registry)
    assert found is not None and found.id == "model/3"


def test_a_canary_that_begins_again_has_its_whole_time(
    params: Params, registered: Registered
) -> None:
    canary = find_canary(params.registry)
    assert canary is not None and canary.started_ms is None
    assert canary.champion == "model/1"
    started = start_canary(params.registry, canary, 1000)
    assert start_canary(params.registry, started, 2000).started_ms == 1000
    again = find_canary(params.registry)
    assert again is not None and again.started_ms == 1000
    end_canary(params.registry, "2", "no traffic")
    registered.client.set_registered_model_alias("model", "challenger", "2")
    again = find_canary(params.registry)
    assert again is not None and again.started_ms is None


def test_the_gate_decides_on_a_good_canary_if_it_may(
    params: Params, registered: Registered
) -> None:
    good = replace(REPORT, state="promote", ends=False)
    good = replace(good, metrics=(replace(WORSE, verdict="not_worse"),))
    assert apply_report(params, good) is None and registered.champion == "1"
    found = apply_report(with_promotion(params, True), good)
    assert found is not None and found.action == "promote"
    assert found.checks[0]["rule"] == "canary errors"
    assert registered.champion == "2"


def test_the_gate_may_refuse_a_good_canary_and_does_so_once(
    params: Params, registered: Registered
) -> None:
    registered.add(predict(0.9, seed=7))
    good = replace(REPORT, state="promote", ends=False, canary="model/3")
    good = replace(good, metrics=(replace(WORSE, verdict="not_worse"),))
    found = apply_report(with_promotion(params, True), good)
    assert found is not None and found.action == "refuse" and "gain" in found.failed
    assert apply_report(with_promotion(params, True), good) is None
    assert actions(params) == ["promote", "refuse"] and registered.champion == "1"


def test_the_command_shows_a_canary_without_a_log_and_leaves_it(
    params: Params, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = params.monitoring.request_log.model_copy(
        update={"folder": str(tmp_path / "none")}
    )
    monitoring = params.monitoring.model_copy(update={"request_log": log})
    params = params.model_copy(update={"monitoring": monitoring})
    found = command.run(params, apply=True, json=True)
    assert found["state"] == "failed" and found["decision"] is None
    assert "failed: DataError" in capsys.readouterr().out
    end_canary(params.registry, "2", "over")
    assert command.run(params, json=True) == {"state": "none"}
    assert "there is no canary" in capsys.readouterr().out
