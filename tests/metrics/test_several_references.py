"""Of several references one is enough, whichever it is."""

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


def value(name: str, said: str, references: list[str]) -> float:
    found = METRICS[name].score(Segments([said], [references], ["all"]),
                                resample(1, 100, 0))  # fmt: skip
    return float(found.value)


@pytest.mark.parametrize("name", COMPARING)
def test_an_answer_may_equal_any_reference(
    name: str,
) -> None:
    for said in REFERENCES:
        assert value(name, said, REFERENCES) == pytest.approx(value(name, said, [said]))


@pytest.mark.parametrize("name", COMPARING)
def test_more_references_do_not_make_a_wrong_answer_correct(
    name: str,
) -> None:
    said = "Dogs bark loudly tonight 7"
    most = max(value(name, text, [text]) for text in REFERENCES)
    assert value(name, said, REFERENCES) < most
