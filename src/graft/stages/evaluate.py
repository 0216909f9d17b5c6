"""Stage `evaluate`: completions → scores, report page, card, registered version."""

from pathlib import Path

from graft import cli, config, tracking
from graft.evaluation.facts import EvaluationInputs, collect_facts
from graft.evaluation.outputs import (
    DRIFT,
    PAGE,
    evaluation_key,
    log_outputs,
    model_settings,
    to_summary,
    version_tags,
    write_outputs,
)
from graft.evaluation.registered import Registered, write_registered
from graft.evaluation.version_page import to_description
from graft.models.adapter_record import read_record
from graft.registry.lineage_record import log_lineage
from graft.registry.packaged_code import write_code
from graft.registry.signatures import sign

PACKAGE = Path(__file__).parents[1]
REGISTERED_MODEL = PACKAGE / "serving" / "registered_model.py"
"""The file that MLflow executes to load the registered model."""


def run(
    data: config.DataConfig,
    evaluate: config.EvaluateConfig,
    model: config.ModelConfig,
    registry: config.RegistryConfig,
    task: config.TaskConfig,
    predictions: Path,
    splits: Path,
    adapter: Path,
    profile: Path,
    reports: list[Path],
    curves: Path,
    out: Path,
    report: Path,
    metrics: Path,
    registered: Path,
    journals: Path = Path(".graft"),
) -> None:
    """Score the completions of both models, and register the adapter. Runs no model;
    stage certify decides whether it becomes champion.

    Raises: DataError if the completions are those of another adapter; ModelError after
        all is written and registered, if the adapter falls short of
        evaluate.requirements.
    """
    inputs = EvaluationInputs(predictions, splits, adapter, reports, curves)
    record = read_record(adapter)
    journal = journals / f"evaluate-{record.run_id}.jsonl"
    with tracking.start_run(registry, journal, run_id=record.run_id) as tracked:
        facts = collect_facts(
            data, evaluate, model, registry, task, record, inputs, tracked.links()
        )
        write_outputs(out, report, metrics, facts)
        log_outputs(tracked, [predictions, out], report, facts)
        tracked.log_artifact(profile, DRIFT)
        key = evaluation_key(facts)
        log_lineage(tracked, facts, adapter, key, journals)
        served = journals / "served"  # files that exist until they are sent
        write_code(PACKAGE, code := served / PACKAGE.name)
        signature = sign(adapter, served)
        version = tracking.register_adapter(
            tracked,
            registry,
            adapter,
            code=REGISTERED_MODEL,
            package=code,
            signature=signature,
            settings=model_settings(facts, adapter),
            tags=version_tags(facts) | {"signature": "signed" if signature else "none"},
            evaluation=key,
            aliases=facts.requirements.aliases,
            description=to_description(facts),
        )
    status = facts.requirements.status
    write_registered(registered, Registered(registry.name, version, status))
    print(to_summary(facts, version, out), flush=True)
    facts.requirements.enforce(str(adapter), version, str(out / PAGE))


if __name__ == "__main__":
    cli.stage(run)
