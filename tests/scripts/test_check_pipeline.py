"""Reports of a pipeline that did not learn fail."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from check_pipeline import EXPECTED, find_errors, loss_errors, main, processor_class

BAND = json.loads(EXPECTED.read_text(encoding="utf-8"))
GOOD: dict[str, Any] = {
    "base": {"bleu": 0.0},
    "tuned": {"bleu": 83.7},
    "num_examples": 900,
    "requirements": "passed",
}
CERTIFICATE: dict[str, Any] = {
    "status": "passed",
    "ways": {f"way {number}": {"not_run": ""} for number in range(5)},
}
FALLING = [3.4, 3.0, 2.0, 1.0, 0.5, 0.3]


def write(root: Path, report: Any = None, **curves: list[float]) -> Path:
    (root / "reports").mkdir()
    (root / "curves").mkdir()
    text = json.dumps(GOOD if report is None else report)
    (root / "reports/evaluate.json").write_text(text, "utf-8")
    certificate = json.dumps(CERTIFICATE)
    (root / "reports/certificate.json").write_text(certificate, "utf-8")
    for name in ("train", "validation"):
        losses = curves.get(name, FALLING)
        lines = [f"{10 * n},{loss}" for n, loss in enumerate(losses)]
        (root / f"curves/{name}.csv").write_text("\n".join(["step,loss", *lines]))
    return root


def test_a_pipeline_that_learned_passes(tmp_path: Path) -> None:
    assert find_errors(write(tmp_path), BAND) == []
    assert main(tmp_path) == 0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"tuned": {"bleu": 0.48}}, "tuned.bleu is 0.48"),
        ({"tuned": {"bleu": 79.9}}, "expected 80.0 to 88.0"),
        ({"tuned": {"bleu": 99.0}}, "expected 80.0 to 88.0"),
        ({"tuned": {"bleu": math.nan}}, "tuned.bleu is missing"),
        ({"tuned": {"bleu": None}}, "tuned.bleu is missing"),
        ({"tuned": {"bleu": True}}, "tuned.bleu is missing"),
        ({"tuned": {}}, "tuned.bleu is missing"),
        ({"tuned": None}, "tuned.bleu is missing"),
        ({"base": {"bleu": 83.8}}, "is not above base"),
        ({"base": {}}, "base.bleu is missing"),
        ({"num_examples": 64}, "num_examples is 64"),
        ({"requirements": "failed"}, "'failed'"),
        ({"requirements": None}, "expected 'passed'"),
    ],
)
def test_a_wrong_report_fails(
    tmp_path: Path, change: dict[str, Any], error: str
) -> None:
    found = find_errors(write(tmp_path, GOOD | change), BAND)
    assert any(error in line for line in found)
    assert main(tmp_path) == 1


@pytest.mark.parametrize("name", ["train", "validation"])
@pytest.mark.parametrize(
    ("losses", "error"),
    [
        ([3.4, 4.0, 5.0, 6.2], "expected to fall"),
        ([3.4, 3.4, 3.4, 3.4], "expected to fall"),
        ([3.4, math.nan, 0.2], "NaN"),
        ([3.4], "1 values"),
        ([], "0 values"),
    ],
)
def test_a_loss_that_did_not_fall_fails(
    tmp_path: Path, name: str, losses: list[float], error: str
) -> None:
    (found,) = find_errors(write(tmp_path, **{name: losses}), BAND)
    assert found.startswith(name) and error in found


@pytest.mark.parametrize("broken", ["", "[]", "{"])
def test_a_missing_or_broken_report_fails(tmp_path: Path, broken: str) -> None:
    path = write(tmp_path) / "reports/evaluate.json"
    path.write_text(broken)
    assert find_errors(tmp_path, BAND)
    path.unlink()
    assert find_errors(tmp_path, BAND)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (json.dumps(CERTIFICATE | {"status": "failed"}), "certificate is 'failed'"),
        (json.dumps({"status": "none"}), "certificate is 'none'"),
        (json.dumps(CERTIFICATE | {"ways": {"api": {}}}), "has 1 ways; expected 5"),
        (
            json.dumps(
                CERTIFICATE | {"ways": {str(n): {"not_run": "x"} for n in "12345"}}
            ),
            "expected 5 that ran",
        ),
        ("[]", "certificate is None"),
        ("{", "certificate.json"),
    ],
)
def test_a_pipeline_without_a_whole_certificate_fails(
    tmp_path: Path, text: str, error: str
) -> None:
    path = write(tmp_path) / "reports/certificate.json"
    path.write_text(text, "utf-8")
    assert error in find_errors(tmp_path, BAND)[0]
    assert main(tmp_path) == 1
    path.unlink()
    assert "certificate.json" in find_errors(tmp_path, BAND)[0]


def test_a_peak_in_the_middle_of_a_curve_is_accepted() -> None:
    assert not list(loss_errors("train", [2.0, 5.0, 1.0, 0.5], 1))


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ("flags: avx2 avx512_bf16 amx_tile", "AMX"),
        ("flags: avx2 avx512_bf16", "AVX-512 BF16"),
        ("flags: avx2", "AVX2"),
        ("", "AVX2"),
    ],
)
def test_every_class_of_processors_was_measured(flags: str, kind: str) -> None:
    assert processor_class(flags) == kind and kind in BAND["measured"]
