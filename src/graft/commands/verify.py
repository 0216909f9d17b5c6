"""`graft verify`: a registered version's files, signature and certificate."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft import io
from graft.config import (
    CertificateConfig,
    EvaluateConfig,
    RegistryConfig,
    ServingConfig,
)
from graft.errors import ModelError
from graft.records import Prediction
from graft.registry.certificate import Certificate, make_certificate

if TYPE_CHECKING:
    from graft.tracking.versions import RegisteredVersion, Versions

FOLDER = "certificates"
"""In the artifacts of the version's run."""


def run(
    registry: RegistryConfig,
    serving: ServingConfig,
    evaluate: EvaluateConfig,
    certificate: CertificateConfig,
    version: str = "challenger",
    /,
    *,
    json: bool = False,
) -> dict[str, Any] | None:
    """Check a version's files, and compare every way of using it with its evaluation.

    The result is stored in the registry: the tags certificate and certificate/reason
    of the version, and all numbers in its run.

    Args:
        version: number, alias or models:/NAME/NUMBER.
        json: print one JSON document instead of text.
    """
    from graft.tracking.versions import Versions

    versions = Versions(registry)
    found = versions.find(version)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            made = certify(
                versions, found, evaluate, serving, certificate, Path(scratch)
            )
            file = Path(scratch) / f"{found.version}.json"
            io.write_json(file, made.to_json())
            versions.log_file(found, file, FOLDER)
            versions.set_tags(found.version, made.tags())
    except ModelError as error:
        reason = f"{error.where}: {error.problem}"
        versions.set_tags(
            found.version, {"certificate": "failed", "certificate/reason": reason}
        )
        raise
    if json:
        return made.to_json()
    print(to_text(made, found.address))
    if made.reason:
        raise ModelError(
            found.address,
            f"not certified: {made.reason}",
            expected="answers as in the evaluation, whatever runs the model",
            fix="see docs/CERTIFICATE.md; the version cannot be promoted",
        )
    return None


def certify(
    versions: "Versions",
    version: "RegisteredVersion",
    evaluate: EvaluateConfig,
    serving: ServingConfig,
    certificate: CertificateConfig,
    scratch: Path,
) -> Certificate:
    """Fetch a version and its evaluation, and run every way.

    Raises: ModelError if a file was changed, or the version has no evaluation.
    """
    from graft.inference.generated import read_generated
    from graft.registry.certificate_ways import Ways
    from graft.serving.certified import open_version

    opened = open_version(versions.fetch_model(version, scratch / "model"), serving)
    folder = versions.store.fetch(version.run_id, "predictions", scratch / "run")
    if folder is None:
        raise ModelError(
            version.address,
            "its run has no predictions",
            expected="a version that stage evaluate registered",
            fix="evaluate and register it again: dvc repro -f evaluate",
        )
    generated = read_generated(folder)
    if generated.decoding != opened.decoding:
        raise ModelError(
            version.address,
            f"its decoding is {opened.decoding}, but {generated.decoding} was "
            "evaluated",
            expected="the decoding of the evaluation",
            fix="register it again: dvc repro -f evaluate",
        )
    rows = spread(generated.predictions, certificate.num_prompts)
    ways = Ways(opened, list(map(to_chat, rows)), certificate.num_places, scratch)
    chosen = {str(n): way for n, way in ways.all().items() if n in certificate.ways}
    metric, difference = to_difference(rows, evaluate)
    return make_certificate(
        version.version,
        metric,
        [row.tuned for row in rows],
        ways.reference,
        chosen,
        {name: certificate.budget(name) for name in chosen},
        difference,
    )


def spread(predictions: Any, most: int) -> list[Prediction]:
    """At most so many predictions, evenly spread."""
    number = min(most, len(predictions))
    return [predictions[i * len(predictions) // number] for i in range(number)]


def to_chat(row: Prediction) -> list[Any]:
    """The conversation that was answered."""
    return [*row.history, {"role": "user", "content": row.prompt}]


def to_difference(rows: list[Prediction], evaluate: EvaluateConfig) -> tuple[str, Any]:
    """The first metric that can be computed, and answers → its difference from the
    answers that were scored."""
    from graft.evaluation.scoring import not_computed, score
    from graft.metrics import get_metrics

    metrics = [m for m in get_metrics(evaluate.metrics) if m.of != "likelihood"]
    left_out = not_computed(rows, metrics)
    first = next((m for m in metrics if m.name not in left_out), None)
    if first is None:
        return "none", lambda _: 0.0
    few = evaluate.model_copy(update={"num_resamples": 100})

    def difference(texts: list[str]) -> float:
        pairs = [
            replace(row, base=row.tuned, tuned=text)
            for row, text in zip(rows, texts, strict=True)
        ]
        return float(score(pairs, [first], few).overall[first.name].difference.value)

    return first.name, difference


def to_text(made: Certificate, address: str) -> str:
    """The table of all ways."""
    head = ["way", "answers agree", "mean KL", made.metric, ""]
    rows = [
        [
            name,
            "-" if one.agreement is None else f"{one.agreement:.1%}",
            "-" if one.kl is None else f"{one.kl:.2g}",
            "-" if one.metric_difference is None else f"{one.metric_difference:+.2f}",
            one.problem or "passed",
        ]
        for name, one in made.ways.items()
    ]
    lines = io.align([head, *rows], right=range(1, 4))
    title = f"{address}: {made.status}, on {made.num_prompts} held-out prompts"
    return "\n".join([title, *lines])
