"""Workflows: pinned, least permissions, and nothing but scripts that are tested."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
TEXTS = {file.stem: file.read_text("utf-8") for file in FILES}
WORKFLOWS = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
STEPS = [
    (name, step)
    for name, workflow in WORKFLOWS.items()
    for job in workflow["jobs"].values()
    for step in job["steps"]
]
TOOLS = Path(sys.executable).parent


def test_every_action_is_pinned_by_a_digest_with_its_version() -> None:
    uses = re.findall(r"uses: (.*)", "\n".join(TEXTS.values()))
    assert uses
    assert not [
        use for use in uses if not re.match(r"[\w./-]+@[0-9a-f]{40} # v\d", use)
    ]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_permission_that_a_job_did_not_ask_for(name: str) -> None:
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    assert "concurrency" in workflow


def test_no_value_of_an_event_is_pasted_into_a_command() -> None:
    assert not [step for _, step in STEPS if "${{" in str(step.get("run", ""))]


def test_every_script_that_is_run_exists_and_can_be_run() -> None:
    named = {
        found
        for _, step in STEPS
        for found in re.findall(r"scripts/ci/\w+\.sh", str(step))
    }
    assert named
    for script in named:
        assert (ROOT / script).stat().st_mode & 0o111, script


def test_the_machine_is_stopped_whatever_happens() -> None:
    jobs: dict[str, Any] = WORKFLOWS["train"]["jobs"]
    assert jobs["stop"]["needs"] == ["start", "train"]
    assert "always()" in jobs["stop"]["if"]


def test_whoever_deploys_is_approved_and_nobody_has_long_lived_keys() -> None:
    assert WORKFLOWS["deploy"]["jobs"]["deploy"]["environment"]
    assert not re.search("AWS_(ACCESS|SECRET)", "\n".join(TEXTS.values()))


def test_what_may_comment_runs_nothing_of_the_pull_request() -> None:
    steps = WORKFLOWS["pull-request-report"]["jobs"]["comment"]["steps"]
    assert not [step for step in steps if "uses" in step]
    assert not [step for step in steps if "scripts/" in step["run"]]


@pytest.mark.parametrize(
    "words",
    [
        ["zizmor", "--offline", "--quiet", ".github/workflows"],
        [
            "check-jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            *map(str, FILES),
        ],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
        + ["deploy/compose/compose.yaml"],
    ],
    ids=["zizmor", "workflows", "compose"],
)
def test_tools_find_nothing(words: list[str]) -> None:
    done = subprocess.run(
        [TOOLS / words[0], *words[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
