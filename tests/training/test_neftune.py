from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st

from graft.training.attention import lay_out
from graft.training.neftune import added_noise, draw_noise


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.floats(0.1, 20))
def test_noise_is_within_the_bounds_of_each_document(
    lengths: list[int], alpha: float
) -> None:
    states = torch.zeros(1, sum(lengths), 8)
    found = draw_noise(states, lay_out(lengths, "cpu").starts, alpha)[0]
    for part, length in zip(found.split(lengths), lengths, strict=True):
        assert part.abs().max() <= alpha / (length * 8) ** 0.5 * (1 + 1e-6)


def test_noise_is_added_only_in_the_context() -> None:
    embedding, ids = torch.nn.Embedding(6, 3), torch.arange(6)[None]
    starts, plain = lay_out([4, 2], "cpu").starts, embedding(ids)
    with added_noise(embedding, starts, None):
        assert torch.equal(embedding(ids), plain)
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        with added_noise(embedding, starts, 5.0):
            found.append(embedding(ids))
    assert torch.equal(*found)
    assert not torch.equal(found[0], plain)
    assert torch.equal(embedding(ids), plain)


def test_training_with_noise_is_the_same_each_time(make_loop: Any) -> None:
    changes = {"neftune_alpha": 5.0, "max_steps": 4, "evaluate_every": 2}
    one, other = make_loop("one", **changes), make_loop("two", **changes)
    one.run()
    other.run()
    for name, weight in one.weights.items():
        assert torch.equal(weight, other.weights[name])
    plain = make_loop("plain", **(changes | {"neftune_alpha": None}))
    plain.run()
    assert any(
        not torch.equal(weight, plain.weights[name])
        for name, weight in one.weights.items()
    )
