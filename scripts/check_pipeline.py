"""Check the results of the default pipeline against earlier measurements.

    python scripts/check_pipeline.py          after make repro

The score must be in the range that tests/expected/default_pipeline.json gives, the
training and validation losses must have decreased, no value may be missing or NaN, and
every way of using the registered version must be certified.
"""

import csv
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = ROOT / "tests/expected/default_pipeline.json"
ENDS = 5
"""Number of logged training losses that are averaged at the start and at the end."""
MAX_RATIO = 0.9
"""Maximum ratio of the last loss to the first."""
NUM_WAYS = 5
"""Ways of using the model that are certified by default."""
FLAGS = {"amx_tile": "AMX", "avx512_bf16": "AVX-512 BF16"}


def score_errors(
    report: Mapping[str, Any], expected: Mapping[str, Any]
) -> Iterator[str]:
    """Errors in reports/evaluate.json."""
    name, low, high = expected["metric"], expected["lowest"], expected["highest"]
    value = _number(report, "tuned", name)
    if not math.isfinite(value):
        yield f"tuned.{name} is missing, NaN or infinite"
    elif not low <= value <= high:
        yield f"tuned.{name} is {value}; expected {low} to {high}"
    base = _number(report, "base", name)
    if not math.isfinite(base):
        yield f"base.{name} is missing, NaN or infinite"
    elif not base < value:
        yield f"tuned.{name} {value} is not above base.{name} {base}"
    if report.get("num_examples") != expected["num_examples"]:
        number = report.get("num_examples")
        yield f"num_examples is {number}; expected {expected['num_examples']}"
    if report.get("requirements") != "passed":
        yield f"requirements is {report.get('requirements')!r}; expected 'passed'"


def loss_errors(name: str, losses: Sequence[float], ends: int) -> Iterator[str]:
    """Errors in a loss curve.

    Args:
        name: train or validation.
        losses: values in the order of steps.
        ends: number of values to average at each end.
    """
    if len(losses) < 2:
        yield f"{name} loss: {len(losses)} values; expected two or more"
    elif not all(map(math.isfinite, losses)):
        yield f"{name} loss: a value is NaN or infinite"
    else:
        count = max(1, min(ends, len(losses) // 2))
        first, last = sum(losses[:count]) / count, sum(losses[-count:]) / count
        if last > MAX_RATIO * first:
            yield f"{name} loss went from {first:.3f} to {last:.3f}; expected to fall"


def read_losses(path: Path) -> list[float]:
    """The column `loss` of a curve; NaN for other text, empty if there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [_to_float(row.get("loss")) for row in csv.DictReader(file)]


def find_errors(root: Path, expected: Mapping[str, Any]) -> list[str]:
    """All errors in the reports and curves of a repository."""
    errors = []
    path = root / "reports/evaluate.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        errors.append(f"{path}: {error}")
    else:
        errors += score_errors(report if isinstance(report, dict) else {}, expected)
    errors += certificate_errors(root / "reports/certificate.json")
    for name, ends in (("train", ENDS), ("validation", 1)):
        errors += loss_errors(name, read_losses(root / f"curves/{name}.csv"), ends)
    return errors


def certificate_errors(path: Path) -> Iterator[str]:
    """Errors in the report of stage certify."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield f"{path}: {error}"
        return
    found = report if isinstance(report, dict) else {}
    if found.get("status") != "passed":
        yield f"certificate is {found.get('status')!r}; expected 'passed'"
    ways = found.get("ways", {})
    if len(ways) < NUM_WAYS or any(way.get("not_run") for way in ways.values()):
        yield f"certificate has {len(ways)} ways; expected {NUM_WAYS} that ran"


def processor_class(cpuinfo: str) -> str:
    """The instruction set of the CPU, which determines how products are rounded."""
    flags = set(re.findall(r"\w+", cpuinfo))
    return next((name for flag, name in FLAGS.items() if flag in flags), "AVX2")


def _number(report: Mapping[str, Any], system: str, name: str) -> float:
    scores = report.get(system)
    return _to_float(scores.get(name) if isinstance(scores, dict) else None)


def _to_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan


def main(root: Path = ROOT) -> int:
    """Print the errors and the expected score; returns 1 if there are errors."""
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    errors = find_errors(root, expected)
    cpuinfo = Path("/proc/cpuinfo")
    kind = processor_class(
        cpuinfo.read_text(encoding="utf-8") if cpuinfo.is_file() else ""
    )
    measured = expected["measured"][kind]
    for line in errors:
        print(f"error: {line}", file=sys.stderr)
    print(
        f"{expected['metric']} measured on a CPU with {kind}: {measured['value']} "
        f"{measured['interval']}; allowed {expected['lowest']} to {expected['highest']}"
    )
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
