"""The facts that a page shows, with curves and links."""

import dataclasses

import evaluated_facts
from evaluated_facts import DATA, MODEL, TASK, make_generated
from scored_predictions import CONFIG

from graft.evaluation.facts import Facts
from graft.evaluation.requirements import Requirements
from graft.evaluation.scoring import score
from graft.inference.generated import Generated
from graft.metrics import get_metrics
from graft.records import Prediction

RECORD = dataclasses.replace(
    evaluated_facts.RECORD,
    params={
        "adapter": {"method": "lora", "rank": 16, "dora": None},
        "train": {"epochs": 3},
    },
    machine={},
)


def make_page_facts(rows: list[Prediction], **changes: object) -> Facts:
    """The facts of these predictions; keywords change them, their record's parameters
    and what was generated."""
    if "scores" not in changes:
        metrics = get_metrics(["bleu", "chrf", "bleu_1"])
        changes["scores"] = score(rows, metrics, CONFIG)
    of_models = {f.name for f in dataclasses.fields(Generated)} & changes.keys()
    generated = {"rss_gib": 2.25} | {name: changes.pop(name) for name in of_models}
    if "params" in changes:
        changes["record"] = dataclasses.replace(RECORD, params=changes.pop("params"))
    values: dict[str, object] = dict(  # pylint: disable=use-dict-literal
        name="graft-translation",
        task=TASK,
        model=MODEL,
        data=DATA,
        settings={},
        record=RECORD,
        counts={"train": 18_000, "validation": 500, "test": len(rows)},
        digests={"prompt template": "abc123"},
        requirements=Requirements(()),
        samples=[],
        stages={},
        generated=dataclasses.replace(make_generated(rows), **generated),
        links={"MLflow run": "http://tracking/#/runs/77", "card": "out/README.md"},
        curves={"train": [(10, 3.0), (20, 1.5)], "validation": [(0, 3.5), (20, 2.0)]},
    )
    return Facts(**(values | changes))
