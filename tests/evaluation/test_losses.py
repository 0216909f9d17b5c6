"""Loss curves: read, drawn in the page, and as an image of their own."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.evaluation.curves import read_curves
from graft.evaluation.page.losses import HEIGHT, loss_figure, to_image

CURVES = {"train": [(10, 4.0), (40, 1.0)], "validation": [(0, 4.0), (40, 2.0)]}


def places(figure: str) -> dict[str, list[tuple[float, float]]]:
    """The points of each curve: per cent across, pixels down."""
    found = re.findall(r'<g class="(\w+)"><polyline[^>]* points="([^"]*)"', figure)
    return {
        name: [tuple(map(float, place.split(","))) for place in points.split()]
        for name, points in found
    }  # type: ignore[misc]


def test_a_point_stands_at_its_step_and_its_loss() -> None:
    found = places(loss_figure(CURVES))
    assert found["train"] == [(25.0, 0.0), (100.0, HEIGHT * 0.75)]
    assert found["validation"] == [(0.0, 0.0), (100.0, HEIGHT * 0.5)]


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_the_numbers_of_the_losses_stand_apart_in_a_margin_of_their_width(values):
    figure = str(loss_figure({"train": list(enumerate(values))}))
    margin = int(re.findall(r"padding-left:(\d+)px", figure)[0])
    found = re.findall(r'x="-(\d+)" y="([\d.]+)" text-anchor="end">([^<]+)<', figure)
    heights = sorted(float(y) for _, y, _ in found)
    assert len(found) >= 2
    assert all(b - a > 14 for a, b in zip(heights, heights[1:]))
    assert all(int(x) + 7.7 * len(text) <= margin for x, _, text in found)


def test_the_figure_says_in_words_what_it_shows() -> None:
    assert "Validation loss goes from 4.000 at step 0 to 2.000 at step 40." in (
        loss_figure(CURVES)
    )


@pytest.mark.parametrize("curves", [CURVES, {}])
def test_the_image_is_one_whole_svg_file_that_fetches_nothing(curves) -> None:
    image = to_image(curves)
    root = ElementTree.fromstring(image)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "href" not in image and "url(" not in image
    assert len(places(image)) == len(curves)


def test_losses_are_read_by_part_without_those_that_are_no_number(
    tmp_path: Path,
) -> None:
    (tmp_path / "train.csv").write_text(
        "step,packing_efficiency,loss\n1,0.5,3.5\n2,0.5,nan\n"
    )
    (tmp_path / "validation.csv").write_text("step,loss\n0,4.0\n")
    assert read_curves(tmp_path) == {"train": [(1, 3.5)], "validation": [(0, 4.0)]}
    assert read_curves(tmp_path / "none") == {}
