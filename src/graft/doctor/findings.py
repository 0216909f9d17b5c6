"""What a check found, and running checks within a time limit."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from graft.config.secrets import without_secret
from graft.errors import GraftError

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """The outcome of a check.

    Attributes:
        subject: what was checked.
        status: an error prevents a part of graft from working; a warning may.
        found: what there is, without secrets.
        fix: what to do about it; empty if nothing is to be done.
    """

    subject: str
    status: Status
    found: str
    fix: str = ""


Check = Callable[[], Sequence[Finding]]


def examine(checks: Mapping[str, Check], limit_s: float) -> list[Finding]:
    """Run all checks at once; their findings, in the order of the checks.

    A check that raises is an error. One that has not ended after the limit is a
    warning, and is abandoned.
    """
    found: dict[str, Sequence[Finding]] = {}

    def run(subject: str, check: Check) -> None:
        try:
            found[subject] = check()
        except Exception as error:  # pylint: disable=broad-exception-caught
            found[subject] = [_of_error(subject, error)]

    threads = [
        threading.Thread(target=run, args=item, daemon=True) for item in checks.items()
    ]
    end = time.monotonic() + limit_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"no result after {limit_s:g} s"
    hint = "see whether the disk or address that it reads responds, or raise --limit"
    return [
        finding
        for subject in checks
        for finding in found.get(subject, [Finding(subject, "warning", late, hint)])
    ]


def _of_error(subject: str, error: Exception) -> Finding:
    if isinstance(error, GraftError):
        text = f"{error.where}: {error.problem}"
        return Finding(subject, "error", without_secret(text), error.fix)
    text = without_secret(f"{type(error).__name__}: {error}")
    return Finding(subject, "error", f"the check failed: {text}")


def to_text(findings: Sequence[Finding]) -> str:
    """A line for each finding, and one for its fix."""
    width = max(len(one.subject) for one in findings)
    lines = []
    for one in findings:
        text = one.found.replace("\n", "\n" + " " * (width + 11))
        lines.append(f"{one.status:<7}  {one.subject:<{width}}  {text}")
        if one.fix:
            lines.append(f"{'':<{width + 11}}fix: {one.fix}")
    count = {
        name: sum(o.status == name for o in findings) for name in ("error", "warning")
    }
    lines.append(
        ", ".join(
            f"{number} {name}{'s' * (number != 1)}" for name, number in count.items()
        )
    )
    return "\n".join(lines)
