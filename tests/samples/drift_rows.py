"""Rows of features of made-up requests, for the tests of drift."""

from collections.abc import Sequence
from random import Random

import pyarrow as pa

from graft.config.monitoring import DriftConfig
from graft.monitoring.drift.profile import Profile, ProfileFacts
from graft.monitoring.features import FEATURE_SCHEMA, to_features

CONFIG = DriftConfig(
    false_alarm_rate=0.05,
    min_requests=50,
    window_requests=100,
    take_every=1,
    every_s=60.0,
)
ENGLISH = (
    "the little boat reached harbour before night while her sister waited with bread "
    "and a lamp under that old bridge near our garden"
).split()
FRENCH = (
    "le petit bateau arriva au port avant la nuit pendant que sa sœur attendait avec "
    "du pain et une lampe sous ce vieux pont près de notre jardin"
).split()
TEMPLATE = (1, 2)
"""Ids at the beginning and the end of each prompt."""


def texts(count: int, seed: int, words: Sequence[str] = ENGLISH) -> list[str]:
    """Texts of 6 to 14 words."""
    rng = Random(seed)
    return [
        " ".join(rng.choices(words, k=rng.randint(6, 14))).capitalize() + "."
        for _ in range(count)
    ]


def to_rows(prompts: Sequence[str], template: Sequence[int] = TEMPLATE) -> pa.Table:
    """Their features; each word is a token."""
    rows = []
    for prompt in prompts:
        words = [sum(map(ord, word)) for word in prompt.split()]
        ids = [*template, *words, *template]
        rows.append(to_features(prompt, ids).to_row())
    return pa.Table.from_pylist(rows, FEATURE_SCHEMA)


def make_reference(count: int = 600) -> Profile:
    return Profile(to_rows(texts(count, seed=1)), ProfileFacts(count, "0" * 16, False))
