"""An answer has to match only one of several references."""

import pytest

from graft.metrics import METRICS, Segments, resample

REFERENCES = ["The little cat sleeps.", "A small cat is asleep now.", "#### 12"]
COMPARING = [
    name
    for name, metric in METRICS.items()
    if metric.of == "answer"
    and name not in ("meteor", "format")
    and not metric.unsuitable([["a text"]])
]


def value(name: str, completion: str, references: list[str]) -> float:
    found = METRICS[name].score(Segments([completion], [references], ["all"]),
                                resample(1, 100, 0))  # fmt: skip
    return float(found.value)


@pytest.mark.parametrize("name", COMPARING)
def test_an_answer_may_equal_any_reference(
    name: str,
) -> None:
    for completion in REFERENCES:
        assert value(name, completion, REFERENCES) == pytest.approx(
            value(name, completion, [completion])
        )


@pytest.mark.parametrize("name", COMPARING)
def test_more_references_do_not_make_a_wrong_answer_correct(
    name: str,
) -> None:
    completion = "Dogs bark loudly tonight 7"
    most = max(value(name, text, [text]) for text in REFERENCES)
    assert value(name, completion, REFERENCES) < most
