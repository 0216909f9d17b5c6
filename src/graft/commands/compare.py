"""`graft compare`: compare base and variants, for example after a queued sweep."""

import ast
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graft import io
from graft.config import EvaluateConfig, RegistryConfig
from graft.errors import ConfigError, DataError, TrackingError
from graft.evaluation.comparison import compare_variants
from graft.evaluation.comparison_tables import to_json, to_markdown, to_text
from graft.evaluation.predictions import read_predictions
from graft.evaluation.variants import Variant, comparable
from graft.inference.generated import TABLE
from graft.metrics import METRICS, get_metrics
from graft.records import Prediction
from graft.tracking.history import History, PastRun

BEST = "best"
"""Tag of the best version."""
PREDICTIONS = "predictions"
"""Artifact folder of a run, logged by the stage evaluate."""


def run(
    evaluate: EvaluateConfig,
    registry: RegistryConfig,
    folders: list[Path] | None = None,
    /,
    *,
    name: str | None = None,
    metrics: list[str] | None = None,
    out: Path | None = None,
    mark: bool = False,
    json: bool = False,
) -> dict[str, Any] | None:
    """Compare the latest run of every variant of a registered model; or FOLDERS.

    Args:
        folders: folders `predictions` of the stage generate, or JSON Lines from other
            systems, with references, base and tuned.
        name: registered model, if not registry.name.
        metrics: metrics, if not evaluate.metrics.
        out: output folder for compare.json, compare.md and compare.csv.
        mark: set the tag best=true of the best variant's version, if it met its
            requirements; aliases are not changed.
        json: print one JSON document instead, that of compare.json.
    """
    left_out: dict[str, str] = {}
    names = metrics or evaluate.metrics
    history: History | None = None
    if folders:
        if mark or name:
            raise ConfigError(
                "--mark" if mark else "--name", "cannot be combined with FOLDERS"
            )
        variants = [_of_folder(folder) for folder in folders]
    else:
        registry = registry.model_copy(update={"name": name or registry.name})
        history = History(registry)
        runs = _latest(_runs(history, registry))
        if name and not metrics:
            names = _metrics(runs[0], names)
        variants, left_out = _of_runs(history, runs)
    variants, others = comparable(_with_unique_names(variants))
    left_out |= others
    found = compare_variants(
        variants,
        get_metrics(names),
        num_resamples=evaluate.num_resamples,
        seed=evaluate.seed,
        min_differences=evaluate.min_differences,
    )
    document = to_json(found) | {"left_out": left_out}
    if not json:
        print(to_text(found), end="")
        for variant, reason in left_out.items():
            print(f"left out: {variant}: {reason}")
    if out is not None:
        io.write_json(out / "compare.json", document)
        lines = [f"- left out: {name}: {why}\n" for name, why in left_out.items()]
        io.write_text(out / "compare.md", to_markdown(found) + "".join(lines))
        from graft.results import read_comparison

        io.write_text(out / "compare.csv", read_comparison(out).to_csv(index=False))
        print("see", *(str(out / f"compare.{end}") for end in ("json", "md", "csv")))
    if mark and history is not None:
        best = found.best.variant if found.best else None
        _mark(history, registry, best)
    return document if json else None


def _of_folder(folder: Path) -> Variant:
    inside = folder / TABLE
    return Variant(str(folder), read_predictions(inside if inside.is_dir() else folder))


def _runs(history: History, registry: RegistryConfig) -> list[PastRun]:
    if runs := history.runs():
        return runs
    names = ", ".join(filter(None, history.names())) or "none"
    raise TrackingError(
        f"experiment {registry.experiment}",
        f"no run for the model {registry.name}",
        expected=f"a model that has runs: {names}",
        fix="pass it with --name, or run the pipeline: dvc exp run",
    )


def _latest(runs: Sequence[PastRun]) -> list[PastRun]:
    """For each set of parameters the latest evaluated run, if there is one."""
    chosen: dict[frozenset[tuple[str, str]], PastRun] = {}
    for past in runs:  # latest first
        params = past.params.items()
        key = frozenset(p for p in params if not p[0].startswith("registry."))
        known = chosen.setdefault(key, past)
        if past.is_measured and not known.is_measured:
            chosen[key] = past
    if older := len(runs) - len(chosen):
        print(
            f"not shown: {older} of {len(runs)} runs, "
            "repetitions of the same variants\n"
        )
    return list(chosen.values())


def _metrics(past: PastRun, default: list[str]) -> list[str]:
    """The evaluate.metrics of a run, as far as they still exist; params.yaml may belong
    to another task."""
    logged = ast.literal_eval(past.params.get("evaluate.metrics") or "[]")
    return [name for name in logged if name in METRICS] or default


def _of_runs(
    history: History, runs: Sequence[PastRun]
) -> tuple[list[Variant], dict[str, str]]:
    """Variants, and the reasons why other runs cannot be compared."""
    variants, left_out = [], {}
    for past in runs:
        try:
            rows = _predictions(history, past)
        except DataError as error:
            left_out[f"{past.name} ({past.run_id[:6]})"] = error.problem
            continue
        variants.append(
            Variant(
                past.name,
                rows,
                past.params,
                past.metrics,
                past.run_id,
                past.version,
                past.aliases,
            )
        )
    if not variants:
        raise TrackingError(
            "the tracking store",
            f"none of {len(runs)} runs has predictions",
            expected="runs whose stage evaluate has finished",
            fix="run it: dvc repro evaluate; or send a journal: graft log",
        )
    return variants, left_out


def _predictions(history: History, past: PastRun) -> list[Prediction]:
    """Raises: DataError if the run has no readable predictions."""
    with tempfile.TemporaryDirectory() as folder:
        place = f"{PREDICTIONS}/{TABLE}"
        table = history.fetch(past.run_id, place, Path(folder))
        if table is None:
            raise DataError(
                past.name,
                f"has no predictions ({past.status.lower()}); finish it: dvc repro "
                "evaluate, or send its journal: graft log",
            )
        return read_predictions(table)


def _with_unique_names(variants: Sequence[Variant]) -> list[Variant]:
    """Duplicate names are extended by the run's first digits, or a number."""
    count = Counter(variant.name for variant in variants)
    return [
        (
            replace(variant, name=f"{variant.name} ({variant.run_id[:6] or number})")
            if count[variant.name] > 1
            else variant
        )
        for number, variant in enumerate(variants, 1)
    ]


def _mark(history: History, registry: RegistryConfig, best: Variant | None) -> None:
    if best is None or best.version is None:
        raise TrackingError(
            registry.name,
            f"{best.name} is not registered" if best else "there is no best variant",
            expected="a best variant with a version",
            fix="run its stage evaluate again: dvc repro -s -f evaluate",
        )
    if history.tags(best.version).get("requirements") == "failed":
        raise TrackingError(
            f"{registry.name} version {best.version}",
            f"{best.name} is the best, and has the tag requirements: failed",
            expected="a best variant that meets evaluate.requirements",
            fix="train another variant, or correct the requirements and run its stage "
            "evaluate again: dvc repro evaluate",
        )
    history.mark(best.version, BEST)
    print(f"marked: {registry.name} version {best.version} has the tag {BEST}=true")
