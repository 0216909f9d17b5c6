"""The stages generate, evaluate and certify on a base of a few kilobytes."""

from pathlib import Path
from typing import Any

import yaml
from tiny_pipeline import (
    make_adapter,
    make_base,
    make_params,
    make_splits,
    make_train_report,
)
from tracking_stores import make_store

from graft import io
from graft.config.params import Params
from graft.models.files import tokenizer_digests
from graft.stages import certify, evaluate, generate, profile

ROOT = Path(__file__).parents[2]
EASY = {"min_examples": 1, "metrics": {"bleu": {"min": 0.0}}}
"""Requirements that every adapter meets."""


def make_project(root: Path) -> Params:
    """All inputs of the stages. The requirements are those of the default pipeline,
    which the few examples do not meet."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["generation"]["latency_runs"] = 0
    make_base(root / "base")
    make_store(root)
    params = make_params(values, root / "base")
    make_adapter(params, root / "adapter")
    make_splits(root / "splits")
    make_train_report(params, root / "adapter", root / "train.json")
    files = {"tokenizer_files": tokenizer_digests(params.model)}
    io.write_json(root / "tokenize.json", files | {"template_hash": "0" * 16})
    profile.run(root / "splits", root / "tokenize.json", root / "profile.parquet")
    return params


def with_values(params: Params, section: str, **changes: Any) -> Params:
    """The parameters with other values in one section."""
    plain = params.to_plain()
    return Params.model_validate(plain | {section: plain[section] | changes})


def run_generate(params: Params, root: Path) -> None:
    generate.run(
        params.generation,
        params.model,
        params.prompt,
        params.quantization,
        splits=root / "splits",
        tokens=root / "tokenize.json",
        adapter=root / "adapter",
        training=root / "train.json",
        out=root / "predictions",
        journals=root / "journals",
    )


def run_evaluate(params: Params, root: Path) -> None:
    evaluate.run(
        params.data,
        params.evaluate,
        params.model,
        params.registry,
        params.task,
        predictions=root / "predictions",
        splits=root / "splits",
        adapter=root / "adapter",
        profile=root / "profile.parquet",
        reports=[],
        curves=root / "curves",
        out=root / "evaluation",
        report=root / "evaluate.json",
        metrics=root / "metrics.json",
        registered=root / "registered.json",
        journals=root / "journals",
    )


def run_certify(params: Params, root: Path) -> None:
    certify.run(
        params.certificate,
        params.evaluate,
        params.generation,
        params.registry,
        params.serving,
        version=root / "registered.json",
        report=root / "certificate.json",
        journals=root / "journals",
    )


def register(root: Path) -> Params:
    """Make a project, generate, and evaluate with requirements that it meets."""
    params = with_values(make_project(root), "evaluate", requirements=EASY)
    run_generate(params, root)
    run_evaluate(params, root)
    return params
