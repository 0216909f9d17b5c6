import pytest

from graft.errors import ConfigError, LostProcessError
from graft.training.launching import exit_status
from graft.training.parallel import TIMEOUT, read_timeout_s


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([75, 1], 1), ([75], 75), ([143, 143], 143), ([75, -9], 137), ([-6], 134)],
)
def test_the_status_is_that_of_the_cause(codes: list[int], expected: int) -> None:
    assert exit_status(codes) == expected
    assert LostProcessError("", "").exit_status == 75


@pytest.mark.parametrize("text", ("0", "-1", "soon", "inf", "nan"))
def test_a_timeout_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=TIMEOUT):
        read_timeout_s({TIMEOUT: text})


def test_the_timeout_is_ten_minutes_or_that_of_the_environment() -> None:
    assert read_timeout_s({}) == 600
    assert read_timeout_s({TIMEOUT: "12.5"}) == 12.5
