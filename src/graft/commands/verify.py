"""`graft verify`: a registered version's files, signature and certificate."""

from typing import Any

from graft.config import (
    CertificateConfig,
    EvaluateConfig,
    GenerationConfig,
    RegistryConfig,
    ServingConfig,
)
from graft.registry.certificate_text import to_text


def run(
    registry: RegistryConfig,
    evaluate: EvaluateConfig,
    generation: GenerationConfig,
    serving: ServingConfig,
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
    from graft.serving.certification import Certifier, enforce

    certifier = Certifier(registry, evaluate, generation, serving, certificate)
    found, made = certifier.run(version)
    if json:
        return made.to_json() | ({"exit_status": 1} if made.reason else {})
    print(to_text(made, found.address))
    enforce(made, found.address)
    return None
