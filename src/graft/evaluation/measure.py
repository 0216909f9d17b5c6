"""The whole measurement: both models asked, scored, and described."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graft.config import EvaluateConfig, ModelConfig, TaskConfig
from graft.evaluation.asking import Plan, PromptTemplate, ask_both, to_question
from graft.evaluation.curves import Curves
from graft.evaluation.examples import HeldOutExample
from graft.evaluation.facts import Facts
from graft.evaluation.outputs import count_splits
from graft.evaluation.requirements import check_requirements
from graft.evaluation.scoring import Prediction, choose_samples, score
from graft.hardware.machine import (
    device_name,
    library_versions,
    peak_memory_gib,
    peak_rss_gib,
)
from graft.io import digest_files
from graft.metrics import get_metrics
from graft.models.adapter_record import AdapterRecord


def measure(
    base: Any,
    tune: Callable[[Any], Any],
    template: PromptTemplate,
    examples: Sequence[HeldOutExample],
    *,
    evaluate: EvaluateConfig,
    task: TaskConfig,
    model: ModelConfig,
    record: AdapterRecord,
    splits: Path,
    adapter: Path,
    stages: Mapping[str, Any],
    name: str,
    links: Callable[[], Mapping[str, str]],
    curves: Curves,
    name_device: Callable[[str], str] = device_name,
    peak_memory: Callable[[str], float] = peak_memory_gib,
) -> tuple[list[Prediction], Facts]:
    """Ask base and tuned model, score them, and gather what the card says.

    Args:
        base: the base model, loaded.
        tune: gives the tuned model for the base.
        stages: reports of the stages before this one.
        name: of the registered model.
        links: gives what to look at beside this, once all is measured.
        curves: losses of the training.
        name_device: device → its name.
        peak_memory: device → most of its memory that was taken, in GiB.
    Raises: HardwareError if a batch does not fit the accelerator's memory.
    """
    plan = Plan.of(task, evaluate)
    device = str(base.device)  # before `tune`, which may free the base's memory
    predictions, answers = ask_both(base, tune, template, examples, plan)
    first = to_question(examples[0], template, plan.prompt_tokens)
    scores = score(predictions, get_metrics(task.metrics), evaluate)
    facts = Facts(
        name=name,
        task=task,
        model=model,
        params=record.params,
        counts=count_splits(splits),
        digests={
            "base model": f"{record.base_path}@{record.base_revision}",
            "prompt template": record.template_hash,
            "adapter": digest_files(adapter, ["*.safetensors"]),
            "train split": digest_files(splits / "train", ["*.parquet"]),
            "test split": digest_files(splits / "test", ["*.parquet"]),
        },
        scores=scores,
        requirements=check_requirements(evaluate.requirements, scores),
        samples=choose_samples(predictions, evaluate.num_samples),
        decoding=plan.decoding,
        stages=stages,
        machine=record.machine,
        costs={system: found.completions for system, found in answers.items()},
        latency={s: found.latency for s, found in answers.items() if found.latency},
        device=name_device(device),
        memory_gib=peak_memory(device),
        rss_gib=peak_rss_gib(),
        versions=library_versions(),
        prompt=template.show(first.ids),
        run_id=record.run_id or "",
        links=links(),
        curves=curves,
    )
    return predictions, facts
