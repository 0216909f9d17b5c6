"""The likelihood of gold answers."""

import numpy as np
import pytest
import torch

from graft.inference.likelihood import count_trained_tokens, negative_log_likelihoods


def sequences(number: int) -> list[tuple[list[int], list[bool]]]:
    draw = np.random.default_rng(0)
    lengths = draw.integers(2, 40, number)
    return [
        (draw.integers(0, 256, n).tolist(), (draw.random(n) < 0.6).tolist())
        for n in lengths
    ]


def test_a_batch_gives_each_sequence_what_it_gets_alone(model):
    texts = [([i % 256 for i in range(900)], [True] * 900), *sequences(30)]
    found = negative_log_likelihoods(model, texts)
    for (ids, loss_mask), value in zip(texts, found, strict=True):
        with torch.no_grad():
            logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = -sum(
            float(logs[i - 1, ids[i]]) for i in range(1, len(ids)) if loss_mask[i]
        )
        assert value == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_first_token_counts_for_nothing():
    assert count_trained_tokens(([5, 6, 7], [True, True, False])) == 1
