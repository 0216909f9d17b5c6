"""Stage `certify`: the registered version → its certificate, and a new champion."""

from pathlib import Path
from typing import Any

from graft import cli, config, io
from graft.errors import TrackingError
from graft.evaluation.registered import read_registered
from graft.registry.automatic_decision import DECISION, decide_automatically
from graft.registry.certificate_text import to_text
from graft.serving.certification import Certifier, enforce


def run(
    certificate: config.CertificateConfig,
    evaluate: config.EvaluateConfig,
    generation: config.GenerationConfig,
    registry: config.GatedRegistryConfig,
    serving: config.ServingConfig,
    version: Path,
    report: Path,
    journals: Path = Path(".graft"),
) -> None:
    """Compare every way of using the version with its evaluation, and decide whether it
    becomes champion. Runs the model in each way.

    Nothing is done if the version is not registered or fell short of its requirements.
    Raises: ModelError after all is written, if the certificate failed.
    """
    io.remove(journals / DECISION)
    registered = read_registered(version)
    number = registered.version
    if number is None or registered.obstacle:
        _skip(report, number, registered.obstacle)
        return
    certifier = Certifier(registry, evaluate, generation, serving, certificate)
    try:
        found, made = certifier.run(number, journals)
    except TrackingError as error:  # like the other stages, it goes on without a store
        _skip(report, number, f"{error.where}: {error.problem}")
        return
    io.write_json(report, made.to_json())
    print(to_text(made, found.address), flush=True)
    enforce(made, found.address)
    line = decide_automatically(registry, evaluate, number)
    io.write_json(journals / DECISION, {"version": number, "decision": line})
    print(f"gate   {line}", flush=True)


def _skip(report: Path, version: str | None, reason: str) -> None:
    """Write a report without a certificate."""
    values: dict[str, Any] = {"version": version, "status": "none", "reason": reason}
    io.write_json(report, values)
    number = version or "VERSION"
    print(f"not certified: {reason}; later: graft verify {number}", flush=True)


if __name__ == "__main__":
    cli.stage(run)
