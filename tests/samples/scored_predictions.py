"""Predictions that differ in a known way, and how they are scored."""

from graft.config import EvaluateConfig
from graft.records import Prediction

CONFIG = EvaluateConfig(
    metrics=["bleu"],
    num_resamples=200,
    num_samples=5,
    seed=42,
    requirements=None,
)


def predictions(number: int = 40) -> list[Prediction]:
    """Two in three tuned answers are right; half of the base's equal them."""
    rows = []
    for i in range(number):
        gold = f"le chat numéro {i} dort sur la table rouge"
        tuned = gold if i % 3 else gold.replace("rouge", "bleue")
        base = "le chien mange" if i % 2 else tuned
        rows.append(
            Prediction(f"{i:03}", "ab"[i % 4 == 0], f"p{i}", [gold], base, tuned)
        )
    return rows
