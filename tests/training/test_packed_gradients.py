"""Gradients of packed documents equal those of each document alone."""

from typing import Any

import pytest
import torch
from small_training import Log, make_documents
from torch.nn import functional

from graft.training.adapter import attach_adapter
from graft.training.base import load_base

Gradients = dict[str, torch.Tensor]


def start(weights: Any) -> None:
    """Weights of a trained adapter: with B at zero, A would have no gradient."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in weights.values():
            weight.normal_(std=0.2, generator=generator)


def one_step(make_loop: Any, name: str, **changes: Any) -> tuple[float, Gradients]:
    """Loss and gradients of one step over all sequences."""
    log, found = Log(), Gradients()
    values = {"global_batch_size": 64, "max_steps": 1, "max_grad_norm": 1e9}
    loop = make_loop(name, log, dropout=0.0, **values | changes)
    start(loop.weights)

    def keep(*_: Any) -> None:
        for weight_name, weight in loop.weights.items():
            assert weight.grad is not None
            found[weight_name] = weight.grad.clone()

    # pylint: disable-next=protected-access
    loop._optimizer.register_step_pre_hook(keep)
    loop.run()
    return log.seen[1][1]["train/loss"], found


def assert_close(one: tuple[float, Gradients], other: tuple[float, Gradients]) -> None:
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        scale = gradient.abs().max()
        assert scale > 0, name
        assert torch.allclose(gradient, other[1][name], atol=1e-4 * scale), name


def test_a_packed_step_has_the_gradients_of_its_documents_one_at_a_time(
    make_loop: Any, model_config: Any, unquantized: Any, params: Any, train_config: Any
) -> None:
    documents = make_documents(40)
    assert len(documents.packs) < 20
    small = {"rank": 4, "alpha": 8.0, "dropout": 0.0}
    plain = attach_adapter(
        load_base(model_config, unquantized, "cpu"),
        params.adapter.model_copy(update=small),
        train_config,
        checkpointing=False,
    )
    weights = {n: w for n, w in plain.named_parameters() if w.requires_grad}
    start(weights)
    total = torch.zeros(())
    for first, end in zip(documents.starts[:-1], documents.starts[1:]):
        ids = torch.from_numpy(documents.tokens[first:end])
        loss_mask = torch.from_numpy(documents.loss_mask[first:end])[1:]
        logits = plain(input_ids=ids[None]).logits[0, :-1]
        total += functional.cross_entropy(
            logits[loss_mask], ids[1:][loss_mask], reduction="sum"
        )
    loss = total / documents.num_trained
    loss.backward()
    alone = {name: weight.grad.clone() for name, weight in weights.items()}
    assert_close((loss.item(), alone), one_step(make_loop, "packed", train=documents))


@pytest.mark.parametrize("changes", [{"micro_batch_size": 1}, {"micro_batch_size": 64}])
def test_gradients_do_not_depend_on_the_micro_batch_size(
    make_loop: Any, changes: Any
) -> None:
    assert_close(
        one_step(make_loop, "cut", **changes),
        one_step(make_loop, "whole", micro_batch_size=4),
    )


def test_gradients_do_not_depend_on_packing(make_loop: Any) -> None:
    alone = make_documents(40, packing=False)
    assert_close(
        one_step(make_loop, "packed", train=make_documents(40)),
        one_step(make_loop, "alone", train=alone),
    )


def test_gradient_checkpointing_changes_no_gradient(make_loop: Any) -> None:
    assert_close(
        one_step(make_loop, "plain"),
        one_step(make_loop, "spared", gradient_checkpointing=True),
    )
