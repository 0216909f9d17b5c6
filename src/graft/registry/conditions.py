"""The rules that need no comparison of predictions."""

from collections.abc import Iterator, Mapping

from graft.config import GateConfig
from graft.registry.candidate import Candidate
from graft.registry.checks import Check

LATENCY, MEMORY = "tuned/latency_p95_ms", "evaluate/memory_gib"


def check_requirements(tags: Mapping[str, str], is_first: bool) -> Check:
    """Whether the evaluation's requirements hold; the first champion needs some."""
    status = tags.get("requirements", "none")
    passed = status == "passed" or status == "none" and not is_first
    needed = "bounds in evaluate.requirements.metrics that it meets"
    if status == "failed":
        needed = "scores that meet evaluate.requirements"
    return Check(
        "requirements", passed, f"requirements: {status}", "" if passed else needed
    )


def check_certificate(tags: Mapping[str, str], is_required: bool) -> Check:
    """Whether the certificate is good: every way to use the model gives the
    evaluation's answers."""
    status = tags.get("certificate", "none")
    passed = status == "passed" or status == "none" and not is_required
    needed = "certificate: passed; see the tag certificate/reason"
    if status == "none":
        needed = "certificate: passed; to make it: graft verify VERSION"
    return Check(
        "certificate", passed, f"certificate: {status}", "" if passed else needed
    )


def check_costs(
    challenger: Candidate, champion: Candidate, gate: GateConfig
) -> Iterator[Check]:
    """Whether latency and memory are within their budgets relative to the champion.

    Costs on different devices cannot be compared, which fails.
    """
    for rule, unit, name, most in (
        ("latency", "ms", LATENCY, gate.max_latency_ratio),
        ("memory", "GiB", MEMORY, gate.max_memory_ratio),
    ):
        if most is not None:
            yield _check_cost(rule, unit, name, most, challenger, champion)


def _check_cost(
    rule: str,
    unit: str,
    name: str,
    most: float,
    challenger: Candidate,
    champion: Candidate,
) -> Check:
    key = f"registry.gate.max_{rule}_ratio: null"
    mine, other = (one.metrics.get(name) for one in (challenger, champion))
    if mine is None and other is None:
        return Check(rule, True, "measured for neither")
    if mine is None or other is None:
        return Check(rule, False, "measured for one of them", f"both, or {key}")
    if challenger.device != champion.device:
        devices = f"{challenger.device}, the champion's on {champion.device}"
        return Check(rule, False, f"measured on {devices}", f"one device, or {key}")
    passed = mine <= most * other
    return Check(
        rule,
        passed,
        f"{mine:,.4g} {unit}, the champion's {other:,.4g} {unit}",
        "" if passed else f"at most {most * other:,.4g} {unit} ({most:g} times)",
        challenger=mine,
        champion=other,
        required=most * other,
    )
