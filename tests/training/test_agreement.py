from typing import Any

import pytest

from graft.errors import ConfigError
from graft.training.agreement import require_equal
from graft.training.parallel import DataParallelGroup


class Simulated(DataParallelGroup):
    """The first of four processes on two machines."""

    others: list[tuple[str, dict[str, str]]] = []

    def gather(self, value: Any) -> list[Any]:
        return [value, *self.others]


def compare(*facts: dict[str, str]) -> None:
    Simulated.others = [("other", one) for one in facts[1:]]
    require_equal(Simulated(0, len(facts)), facts[0])


def test_equal_processes_are_accepted() -> None:
    compare({"torch": "2"}, {"torch": "2"})


def test_what_differs_is_named_with_its_processes() -> None:
    facts = {"torch": "2", "train.seed": "1"}
    with pytest.raises(ConfigError) as error:
        compare(facts, facts, facts | {"train.seed": "7"}, {"torch": "2"})
    text = str(error.value)
    assert (
        "train.seed: 1 on processes 0, 1; 7 on process 2; missing on process 3" in text
    )
    assert "2 other" in text and "torch" not in text
