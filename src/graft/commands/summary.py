"""`graft summary`: the results of the pipeline, read from its outputs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graft import io
from graft.config import RegistryConfig
from graft.metrics import METRICS
from graft.models.adapter_record import RECORD
from graft.registry.automatic_decision import DECISION

SEE = """\
see     evaluation/report.html, evaluation/README.md       report page, model card
        dvc metrics show; dvc plots show                   scores and curves
        dvc exp show                                       table of experiments
        graft ui                                           runs, registered models
        (first: source .venv/bin/activate)"""


def run(
    registry: RegistryConfig,
    *,
    report: Path = Path("reports/evaluate.json"),
    certificate: Path = Path("reports/certificate.json"),
    adapter: Path = Path("models/adapter"),
    journals: Path = Path(".graft"),
    json: bool = False,
) -> dict[str, Any] | None:
    """Print the scores of base and tuned model, the registered version with its
    certificate, what was decided about it, and where to see more.

    Args:
        report: report of the stage evaluate.
        certificate: report of the stage certify.
        adapter: folder of the adapter.
        journals: folder of the tracking journals.
        json: print one JSON document instead of text.
    """
    scores = io.read_json(report)
    run_id = io.read_json(adapter / RECORD)["run_id"]
    sent = journals / f"evaluate-{run_id}.sent.json"
    version = io.read_json(sent)["version"] if sent.is_file() else ""
    made = _of_version(certificate, version)
    decision = _of_version(journals / DECISION, version).get("decision")
    if json:
        return {
            "model": registry.name,
            "version": version or None,
            "requirements": scores.get("requirements", "none"),
            "requirements_failed": scores.get("requirements_failed", []),
            "certificate": made.get("status", "none"),
            "decision": decision,
        } | {system: scores[system] for system in ("base", "tuned", "intervals")}
    name = next(iter(scores["tuned"]))
    title = METRICS[name].title
    for system in ("base", "tuned"):
        low, high = scores["intervals"][system][name]
        value = scores[system][name]
        print(
            f"{system:<7} {title} {value:6.2f}   95 % interval {low:.2f} to {high:.2f}"
        )
    state = f"version {version}" if version else "not yet registered"
    print(f"model   {registry.name}, {state}")
    print(f"        requirements: {scores.get('requirements', 'none')}")
    for sentence in scores.get("requirements_failed", ()):
        print(f"        - {sentence}")
    print(f"        certificate: {_certificate_text(made)}")
    if decision:
        print(f"gate    {decision}")
    print(SEE)
    return None


def _of_version(path: Path, version: str) -> dict[str, Any]:
    """A document about a version; empty if there is none, or one about another."""
    found: dict[str, Any] = io.read_json(path) if path.is_file() else {}
    return found if version and found.get("version") == version else {}


def _certificate_text(made: Mapping[str, Any]) -> str:
    if not made:
        return "none"
    if made["status"] != "passed":
        return f"{made['status']}: {made['reason']}"
    ran = [name for name, one in made["ways"].items() if not one["not_run"]]
    return f"passed ({', '.join(ran)}; {made['num_prompts']} prompts)"
