"""Digests that identify the test set and the answers of an evaluation."""

import json
from collections.abc import Sequence

from graft import io
from graft.records import Prediction


def digest_test_set(predictions: Sequence[Prediction]) -> str:
    """A digest of the questions and references, whatever their order."""
    rows = sorted(
        json.dumps([row.id, row.history, row.prompt, row.references], sort_keys=True)
        for row in predictions
    )
    return io.digest("\n".join(rows).encode())


def digest_answers(predictions: Sequence[Prediction]) -> str:
    """A digest of the tuned model's completions and likelihoods, whatever their
    order."""
    rows = sorted(json.dumps([row.id, row.tuned, row.tuned_nll]) for row in predictions)
    return io.digest("\n".join(rows).encode())
