"""Make the certificate of a registered version, and store it in the registry."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from graft import io
from graft.config import (
    CertificateConfig,
    EvaluateConfig,
    GenerationConfig,
    RegistryConfig,
    ServingConfig,
)
from graft.errors import ModelError, TemplateError
from graft.records import Message, Prediction, Role
from graft.registry.certificate import Certificate, make_certificate
from graft.registry.certificate_pyfunc import PyfuncProcess
from graft.tracking.versions import RegisteredVersion, Versions

if TYPE_CHECKING:
    from graft.inference.generated import Generated
    from graft.registry.certificate_ways import CertifiedVersion

FOLDER = "certificates"
"""In the artifacts of the version's run."""


@dataclass(frozen=True)
class Certifier:
    """Runs every way of using a version.

    Args:
        registry: where it is registered.
        evaluate: whose first metric is compared.
        generation: the device of the evaluation.
        serving: the batch of `graft serve`.
        certificate: ways, and budgets.
    """

    registry: RegistryConfig
    evaluate: EvaluateConfig
    generation: GenerationConfig
    serving: ServingConfig
    certificate: CertificateConfig

    def run(
        self, reference: str, scratch: Path | None = None
    ) -> tuple[RegisteredVersion, Certificate]:
        """Make the certificate, and store it: tags of the version, a file of its run.

        Args:
            reference: number, alias or address of the version.
            scratch: folder in which a temporary one is made; it needs room for a merged
                model.
        Raises: ModelError or TemplateError if a file of the version was changed, after
            the tags are set; TrackingError if the store does not respond.
        """
        with ExitStack() as stack:
            if scratch is not None:
                scratch.mkdir(parents=True, exist_ok=True)
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(dir=scratch))
            ).absolute()
            process = None
            if "pyfunc" in self.certificate.ways:  # the first, since it takes longest
                process = PyfuncProcess(folder, self.generation.device)
                stack.enter_context(process)
            versions = Versions(self.registry)
            version = versions.find(reference)
            try:
                made = self.certify(versions, version, folder, process)
            except (ModelError, TemplateError) as error:
                reason = f"{error.where}: {error.problem}"
                tags = {"certificate": "failed", "certificate/reason": reason}
                versions.set_tags(version.version, tags)
                raise
            file = folder / f"{version.version}.json"
            io.write_json(file, made.to_json())
            versions.log_file(version, file, FOLDER)
            versions.set_tags(version.version, made.tags())
        return version, made

    def certify(
        self,
        versions: Versions,
        version: RegisteredVersion,
        scratch: Path,
        process: PyfuncProcess | None,
    ) -> Certificate:
        """Fetch a version and its evaluation, and run every way.

        Raises: ModelError or TemplateError if a file was changed, or the version has no
            evaluation.
        """
        from graft.registry.certificate_ways import Ways
        from graft.serving.certified_version import open_version

        folder = versions.fetch_model(version, scratch / "model")
        opened = open_version(folder, self.generation, self.serving)
        generated = _fetch_evaluation(versions, version, opened, scratch / "run")
        rows = spread(generated.predictions, self.certificate.num_prompts)
        greedy = replace(opened, decoding=replace(opened.decoding, temperature=0.0))
        ways = Ways(
            greedy,
            [to_chat(row, opened.opens_documents) for row in rows],
            self.certificate.num_places,
            scratch,
            process,
        )
        ways.begin()
        answers = [row.tuned for row in rows]
        if opened.decoding.temperature > 0 or opened.opens_documents:
            # Sampled answers have nothing to agree with, and predictions have only the
            # text of a document's prompt, not the tokens that were before it.
            answers = ways.generated[0]
        chosen = {
            str(name): way
            for name, way in ways.all().items()
            if name in self.certificate.ways
        }
        metric, difference = to_difference(rows, answers, self.evaluate)
        return make_certificate(
            version.version,
            metric,
            answers,
            ways.reference,
            chosen,
            {name: self.certificate.budget(name) for name in chosen},
            difference,
        )


def enforce(made: Certificate, address: str) -> None:
    """Raises: ModelError with the reason if a certificate failed."""
    if made.reason:
        raise ModelError(
            address,
            f"not certified: {made.reason}",
            expected="answers as in the evaluation, whatever runs the model",
            fix="correct the cause (docs/CERTIFICATE.md), then register another "
            "version: dvc repro -s -f evaluate && dvc repro",
        )


def _fetch_evaluation(
    versions: Versions,
    version: RegisteredVersion,
    opened: "CertifiedVersion",
    out: Path,
) -> "Generated":
    """What was evaluated.

    Raises: ModelError if it is gone, or was decoded otherwise.
    """
    from graft.inference.generated import read_generated

    folder = versions.store.fetch(version.run_id, "predictions", out)
    if folder is None:
        raise ModelError(
            version.address,
            "its run has no predictions",
            expected="a version that stage evaluate registered",
            fix="evaluate and register it again: dvc repro -s -f evaluate",
        )
    generated = read_generated(folder)
    if generated.decoding != opened.decoding:
        raise ModelError(
            version.address,
            f"its decoding is {opened.decoding}, but {generated.decoding} was "
            "evaluated",
            expected="the decoding of the evaluation",
            fix="register it again: dvc repro -s -f evaluate",
        )
    return generated


def spread(predictions: Sequence[Prediction], most: int) -> list[Prediction]:
    """At most so many predictions, evenly spread."""
    number = min(most, len(predictions))
    return [predictions[i * len(predictions) // number] for i in range(number)]


def to_chat(row: Prediction, opens_document: bool) -> list[Message]:
    """The conversation that was answered; or the document that was continued, as a
    single turn of the assistant."""
    role: Role = "assistant" if opens_document else "user"
    turns = [*row.history, {"role": role, "content": row.prompt}]
    return cast(list[Message], turns)


def to_difference(
    rows: Sequence[Prediction], answers: Sequence[str], evaluate: EvaluateConfig
) -> tuple[str, Callable[[Sequence[str]], float]]:
    """The first metric that can be computed, and other answers → its difference from
    these."""
    from graft.evaluation.scoring import not_computed, score
    from graft.metrics import get_metrics

    metrics = [m for m in get_metrics(evaluate.metrics) if m.of != "likelihood"]
    left_out = not_computed(rows, metrics)
    first = next((m for m in metrics if m.name not in left_out), None)
    if first is None:
        return "none", lambda _: 0.0
    few = evaluate.model_copy(update={"num_resamples": 100})

    def difference(texts: Sequence[str]) -> float:
        pairs = [
            replace(row, base=before, tuned=text)
            for row, before, text in zip(rows, answers, texts, strict=True)
        ]
        return float(score(pairs, [first], few).overall[first.name].difference.value)

    return first.name, difference
