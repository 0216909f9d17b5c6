"""Decisions as text."""

from collections.abc import Iterator, Sequence

from graft.registry.decisions import Decision

MARKS = {True: "ok  ", False: "FAIL"}


def to_line(decision: Decision) -> str:
    """One line: what was done, and the first reason against it."""
    before = decision.from_version or "none"
    name = f"{decision.model} version {decision.to_version}"
    if decision.action == "promote":
        return f"{name} is champion (before: {before})"
    if decision.action == "rollback":
        return f"{name} is champion again (before: {before}): {decision.reason}"
    if decision.action == "end_canary":
        return f"the canary of {name} has ended: {decision.reason}"
    failed = next(one for one in decision.checks if not one["passed"])
    others = len(decision.failed) - 1
    more = f" (and {others} more)" if others else ""
    return f"{name} is not promoted: {failed['rule']}: {failed['found']}{more}"


def to_text(decision: Decision) -> str:
    """Every rule with its answer, then the result."""
    return "\n".join([*_rules(decision), to_line(decision), ""])


def _rules(decision: Decision) -> Iterator[str]:
    for one in decision.checks:
        yield f"{MARKS[one['passed']]}  {one['rule']}: {one['found']}"
        if not one["passed"] and one.get("sufficient"):
            yield f"        would suffice: {one['sufficient']}"
    if decision.attempt:
        rate = f"error rate {100 * decision.error_rate:.2g} %"
        yield (
            f"attempt {decision.attempt} of {decision.max_attempts} on this test set, "
            f"{rate}"
        )


def to_history(decisions: Sequence[Decision], model: str) -> str:
    """One line for each decision, the oldest first."""
    if not decisions:
        return f"no decision on {model} is logged\n"
    rows = [
        (
            str(number),
            one.at[:19].replace("T", " "),
            one.action,
            f"{one.from_version or '-'} -> {one.champion or '-'}",
            one.to_version,
            f"{one.by} ({one.via})",
            one.reason or ", ".join(one.failed),
        )
        for number, one in enumerate(decisions, 1)
    ]
    head = ("#", "at (UTC)", "action", "champion", "version", "by", "reason or rules")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in [head, *rows]
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)
