"""Limitations of the evaluation, derived from its results."""

from collections.abc import Iterator

from graft.evaluation.facts import Facts
from graft.evaluation.verdicts import FEWEST, judge
from graft.metrics import METRICS

MANY = 30
"""With fewer examples, bootstrap intervals are too narrow."""


def limits(facts: Facts) -> list[str]:
    """Sentences: the intended use, limitations of this run, then general ones."""
    return [_use(facts), *_of_scores(facts), *_of_setting(facts)]


def _use(facts: Facts) -> str:
    data = facts.data
    kind = facts.task.name.replace("_", " ")
    languages = " and ".join(dict.fromkeys(facts.task.languages.values()))
    return (
        f"It is meant for {kind} in {languages}, for texts like those of "
        f"`{data.get('hub_id') or data['name']}`, with prompts as under Use."
    )


def _of_scores(facts: Facts) -> Iterator[str]:
    scores = facts.scores
    verdicts = {name: judge(METRICS[name], it) for name, it in scores.overall.items()}
    for kind, words in (
        (
            "insignificant",
            "The difference between base and tuned is not significant in",
        ),
        ("negligible", "The difference is significant, but negligible in"),
        ("worse", "The tuned model is significantly worse in"),
    ):
        titles = [METRICS[name].title for name, v in verdicts.items() if v.kind == kind]
        if titles:
            yield f"{words} {', '.join(titles)}."
    if scores.num_examples < MANY:
        yield (
            f"Only {scores.num_examples:,} test examples were used; for so few, "
            "intervals are too narrow."
        )
    small = [name for name, (count, _) in scores.strata.items() if count < FEWEST]
    if small:
        yield (
            f"Strata with fewer than {FEWEST} test examples are not conclusive: "
            f"{', '.join(small)}."
        )
    test = facts.counts.get("test", 0)
    if test > scores.num_examples:
        yield f"Of {test:,} test examples, {scores.num_examples:,} were used."


def _of_setting(facts: Facts) -> Iterator[str]:
    yield (
        "The test examples come from the source of the training examples. The scores "
        "do not apply to other domains, registers or languages."
    )
    yield (
        "The intervals cover the sampling of test examples, not the randomness of "
        "training: another seed gives another adapter."
    )
    if any(METRICS[name].of == "answer" for name in facts.scores.overall):
        yield (
            "Scores against references reward their wording. A correct answer in other "
            "words scores low, and a fluent wrong one does not score zero."
        )
    length = facts.params.get("tokenize", {}).get("max_seq_len")
    if length:
        yield f"It was trained on sequences of at most {length:,} tokens."
    yield from (f"{text}." for text in facts.generated.warnings)
    yield f"Answers are cut after {facts.generated.decoding.max_new_tokens:,} tokens."
    yield "The licence, biases and limitations of the base model also apply."
