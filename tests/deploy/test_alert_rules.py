"""Prometheus' and Alertmanager's own checks of their files, and what alerts contain."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from alert_rules import FOLDER, ROOT, alerts, read_yaml

RUNBOOK = ROOT / "docs/RUNBOOK.md"


def run(program: str, *words: str) -> str:
    """The output of a program that must succeed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian: prometheus{'-alertmanager'})")
    done = subprocess.run(
        [program, *words], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_its_configuration_and_rules() -> None:
    run("promtool", "check", "config", "prometheus.yml")


def test_alertmanager_accepts_its_configuration() -> None:
    run("amtool", "check-config", "alertmanager.yml")


@pytest.mark.parametrize("name", ["canary", "serving", "watch"])
def test_alerts_fire_when_they_must_and_only_then(name: str) -> None:
    run("promtool", "test", "rules", f"tests/{name}.yml")


def test_every_alert_is_seen_firing_in_a_test() -> None:
    text = "".join(p.read_text("utf-8") for p in (FOLDER / "tests").glob("*.yml"))
    cases = [case for one in text.split("- name: ") for case in one.splitlines()]
    seen = set(re.findall(r'alertname="(\w+)"', "\n".join(cases)))
    assert seen == {one["alert"] for one in alerts()}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_names_its_severity_action_and_section(rule: dict[str, dict]) -> None:
    labels, notes = rule["labels"], rule["annotations"]
    assert labels["severity"] in ("critical", "warning", "none")
    assert labels["action"] in ("rollback", "end_canary", "none")
    expected = {"rollback": "champion", "end_canary": "canary"}
    if labels["action"] in expected:
        assert labels["role"] == expected[labels["action"]]
    assert notes["runbook_url"] == f"docs/RUNBOOK.md#{str(rule['alert']).lower()}"
    assert notes["summary"]


def test_each_alert_has_a_section_of_the_runbook_and_each_section_an_alert() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    assert sorted(sections) == sorted(one["alert"] for one in alerts())


def test_a_section_says_what_it_means_what_to_look_at_and_what_to_do() -> None:
    sections = re.split(r"^## ", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)[1:]
    for section in sections:
        for part in ("**Means**", "**Look at**", "**Do**"):
            assert section.count(part) == 1, section


def test_actions_reach_graft_watch_at_once_and_the_watchdog_its_own_receiver() -> None:
    if shutil.which("amtool") is None:
        pytest.skip("amtool is not installed (Debian: prometheus-alertmanager)")

    def receivers(**labels: str) -> str:
        words = [f"{name}={value}" for name, value in labels.items()]
        route = ["config", "routes", "test", "--config.file=alertmanager.yml"]
        return run("amtool", *route, *words).strip()

    for rule in alerts():
        labels = {"alertname": str(rule["alert"]), **rule["labels"]}
        found = receivers(**labels)
        if labels["alertname"] == "Watchdog":
            assert found == "dead-mans-switch"
        elif labels["action"] == "none":
            assert found == "people"
        else:
            assert found == "graft-watch,people"


def test_the_secret_is_in_a_file_of_its_own() -> None:
    config = read_yaml(FOLDER / "alertmanager.yml")
    watch = next(one for one in config["receivers"] if one["name"] == "graft-watch")
    http = watch["webhook_configs"][0]["http_config"]
    assert http == {"authorization": {"credentials_file": "watch_token"}}
    assert not Path(FOLDER / "watch_token").exists()
    assert "credentials:" not in yaml.safe_dump(config)
