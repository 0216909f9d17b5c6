"""The key of a training's checkpoints, and its outputs: curves and report."""

import csv
import io as text
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graft import io
from graft.config import Section
from graft.errors import TemplateError
from graft.training.batches import PackedDocuments
from graft.training.checkpoints import Progress
from graft.training.packing import packing_efficiency

PARTS = ("train", "validation")
_WITHOUT_EFFECT = {"license", "num_parameters", "num_processes"}


def checkpoint_key(sections: Sequence[Section], others: Mapping[str, Any]) -> str:
    """Digest of everything that affects the result. A training resumes from checkpoints
    with the same digest, on any number of processes."""
    values = {
        type(section).__name__: section.model_dump(mode="json", exclude=_WITHOUT_EFFECT)
        for section in sections
    }
    return io.digest({**values, **others})


def check_template(report: Path, template_hash: str) -> None:
    """Raises: TemplateError if the data was tokenized with another template."""
    found = io.read_json(report)["template_hash"]
    if found != template_hash:
        raise TemplateError(
            str(report),
            f"the data was tokenized with template {found}, but the current one is "
            f"{template_hash}",
            expected="one template for data and training",
            fix="tokenize again: dvc repro",
        )


def write_curves(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write train.csv and validation.csv: the step, and that split's values."""
    with io.atomic(folder) as partial:
        for part in PARTS:
            prefix = f"{part}/"
            lines = [
                {key.removeprefix(prefix): value for key, value in line.items()}
                for line in history
                if prefix + "loss" in line
            ]
            # Of all lines: a history from an earlier version may have other keys.
            columns = ["step", *sorted(set().union(*lines) - {"step"})]
            table = text.StringIO()
            writer = csv.DictWriter(table, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
            io.write_text(partial / f"{part}.csv", table.getvalue())


def to_report(
    progress: Progress, num_steps: int, train: PackedDocuments, max_seq_len: int
) -> dict[str, float]:
    """The report's JSON. It contains no times, so equal trainings give equal bytes."""
    return {
        "num_steps": progress.step,
        "num_steps_planned": num_steps,
        "best_step": progress.best_step,
        "validation_loss": round(progress.best_loss, 4),
        "num_documents": len(train.lengths),
        "num_sequences": len(train.packs),
        "num_tokens_seen": progress.num_tokens,
        "num_trained_tokens": train.num_trained,
        "packing_efficiency": round(
            packing_efficiency(train.packs, train.lengths, max_seq_len), 4
        ),
    }
