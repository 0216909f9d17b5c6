"""The likelihood of gold answers."""

import copy

import numpy as np
import pytest
import torch

from graft.errors import HardwareError
from graft.inference import likelihood
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
    found = negative_log_likelihoods(model, texts, None)
    for (ids, loss_mask), value in zip(texts, found, strict=True):
        with torch.no_grad():
            logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = -sum(
            float(logs[i - 1, ids[i]]) for i in range(1, len(ids)) if loss_mask[i]
        )
        assert value == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_first_token_counts_for_nothing():
    assert count_trained_tokens(([5, 6, 7], [True, True, False])) == 1


def test_padded_texts_get_the_same_as_packed_ones(model, monkeypatch):
    texts = [([5], [True]), ([5, 6, 7], [False] * 3), *sequences(20)]
    packed = negative_log_likelihoods(model, texts, None)
    monkeypatch.setattr(likelihood, "is_supported", lambda _: False)
    padded = negative_log_likelihoods(model, texts, None)
    assert padded == pytest.approx(packed, rel=1e-4, abs=1e-4)
    assert packed[0] == packed[1] == 0


def test_texts_that_do_not_fit_the_memory_at_once_are_computed_in_parts(model):
    texts = sequences(30)
    expected = negative_log_likelihoods(model, texts, None)
    small = copy.deepcopy(model)

    def forward(input_ids, **settings):
        if input_ids.shape[1] > 100:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return type(small).forward(small, input_ids=input_ids, **settings)

    small.forward = forward
    assert negative_log_likelihoods(small, texts, None) == pytest.approx(
        expected, rel=1e-4
    )


def test_a_text_that_does_not_fit_the_memory_alone_is_named_by_its_length(model):
    small = copy.deepcopy(model)

    def forward(**_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    small.forward = forward
    with pytest.raises(HardwareError, match="a text of 3 tokens"):
        negative_log_likelihoods(small, [([5, 6, 7], [True] * 3)], None)
