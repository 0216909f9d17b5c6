"""Tables of text."""

from graft.io import align


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    lines = [["name", "GiB", ""], ["a", "7.5", "fits"], ["longer", "16", ""]]
    assert align(lines, right=[1]) == [
        "name    GiB",
        "a       7.5  fits",
        "longer   16",
    ]
