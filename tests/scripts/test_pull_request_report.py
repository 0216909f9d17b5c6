"""The report of a pull request, and images in manifests."""

import json
from pathlib import Path

import pull_request_report as report
import pytest
import set_image


def test_the_report_has_each_part_that_there_is(tmp_path: Path) -> None:
    for name in ("metrics", "params", "compare"):
        (tmp_path / f"{name}.md").write_text(f"| {name} |\n")
    (tmp_path / "curves").mkdir()
    lines = [f"{step},{1 / (step + 1)}" for step in range(200)]
    (tmp_path / "curves/train.csv").write_text(
        "\n".join(["step,loss", *lines, "200,nan"])
    )
    (tmp_path / "evaluation").mkdir()
    sample = {
        "prompt": "a|b `c`\n@all",
        "references": ["r"],
        "base": "",
        "tuned": "t" * 999,
    }
    (tmp_path / "evaluation/samples.json").write_text(json.dumps([sample] * 9))
    text = report.to_report(tmp_path, tmp_path)
    for part in ("| metrics |", "| params |", "| compare |", 'title "train"'):
        assert part in text
    assert 'x-axis "step" 0 --> 199' in text and "nan" not in text
    assert text.count("`` a\\|b 'c' @all ``") == 5
    assert "t" * 301 not in text


def test_without_differences_the_report_says_so(tmp_path: Path) -> None:
    assert report.to_report(tmp_path, tmp_path) == "Nothing that DVC tracks differs.\n"


def test_a_curve_is_thinned_to_its_ends() -> None:
    assert report.thin([1.0, 2.0]) == [1.0, 2.0]
    thinned = report.thin([float(one) for one in range(1000)])
    assert (len(thinned), thinned[0], thinned[-1]) == (40, 0.0, 999.0)


def test_only_the_image_of_this_name_is_replaced() -> None:
    text = (
        "- image: r/graft-serve:v1\n  image: graft-serve-cpu\n  image: 'graft-serve'\n"
    )
    new = "x/graft-serve@sha256:1"
    changed = set_image.replace(text, "x/graft-serve", new)
    assert changed == f"- image: {new}\n  image: graft-serve-cpu\n  image: {new}\n"
    with pytest.raises(ValueError, match="no image other"):
        set_image.replace(text, "other", new)
