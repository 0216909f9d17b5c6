"""Stage `evaluate`: base and tuned on the test split → scores, card, version."""

from functools import partial
from pathlib import Path

from graft import cli, config, tracking
from graft.evaluation.curves import read_curves
from graft.evaluation.facts import Facts, to_digests
from graft.evaluation.outputs import (
    PAGE,
    count_splits,
    evaluation_key,
    log_outputs,
    to_summary,
    version_tags,
    write_outputs,
)
from graft.evaluation.requirements import check_requirements
from graft.evaluation.scoring import choose_samples, score
from graft.hardware.device import choose_device
from graft.inference.examples import read_examples
from graft.inference.generate import GenerationPlan, generate
from graft.io import read_json
from graft.metrics import get_metrics
from graft.models.adapter_record import check_record, read_record
from graft.models.files import check_tokenizer
from graft.prompts import load_template
from graft.training.base import load_base
from graft.training.held_out import check_held_out
from graft.training.tuning import load_tuned

SERVED = Path(__file__).parents[1] / "serving" / "pyfunc.py"
"""The file that MLflow executes to load the registered model."""


def run(
    evaluate: config.EvaluateConfig,
    model: config.ModelConfig,
    quantization: config.QuantizationConfig,
    registry: config.RegistryConfig,
    task: config.TaskConfig,
    splits: Path,
    adapter: Path,
    reports: list[Path],
    curves: Path,
    out: Path,
    report: Path,
    metrics: Path,
    journals: Path = Path(".graft"),
) -> None:
    """Evaluate base and tuned model on the same examples, and register the adapter.

    Raises: DataError if a test example was trained on; ModelError after all is written
        and registered, if the adapter falls short of evaluate.requirements.
    """
    get_metrics(
        task.metrics
    )  # a misspelt name is an error now, not after the model work
    record = read_record(adapter)
    template = load_template(model, task.prompt)
    check_record(record, adapter, model, template.hash)
    stages = {path.stem: read_json(path) for path in reports}
    if "tokenize" in stages:
        check_tokenizer(model, stages["tokenize"].get("tokenizer_files", {}))
    check_held_out(splits, "test")
    examples = read_examples(splits / "test", evaluate.max_examples)
    device = choose_device(evaluate.device, model, quantization)
    journal = journals / f"evaluate-{record.run_id}.jsonl"
    with tracking.start_run(registry, journal, run_id=record.run_id) as tracked:
        base = load_base(model, quantization, device)
        tune = partial(load_tuned, folder=adapter)
        plan = GenerationPlan.of(task, evaluate)
        generated = generate(base, tune, template, examples, plan)
        scores = score(generated.predictions, get_metrics(task.metrics), evaluate)
        facts = Facts(
            name=registry.name,
            task=task,
            model=model,
            record=record,
            counts=count_splits(splits),
            digests=to_digests(record, adapter, splits),
            scores=scores,
            requirements=check_requirements(evaluate.requirements, scores),
            samples=choose_samples(generated.predictions, evaluate.num_samples),
            stages=stages,
            generated=generated,
            links=tracked.links(),
            curves=read_curves(curves),
        )
        write_outputs(out, report, metrics, facts)
        log_outputs(tracked, out, report, facts)
        version = tracking.register_adapter(
            tracked,
            registry,
            adapter,
            code=SERVED,
            tags=version_tags(facts),
            evaluation=evaluation_key(facts),
            aliases=facts.requirements.aliases,
        )
    print(to_summary(facts, version, out), flush=True)
    facts.requirements.enforce(str(adapter), version, str(out / PAGE))


if __name__ == "__main__":
    cli.stage(run)
