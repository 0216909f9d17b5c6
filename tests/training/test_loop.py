import math
import signal
from functools import partial
from typing import Any

import pytest
import torch
from model_shapes import MISTRAL_7B
from small_training import Killed, Log, make_documents

from graft.config import FullConfig
from graft.errors import ModelError
from graft.planning.setup import to_setup
from graft.planning.speed import MfuReference
from graft.process.signals import Interrupted
from graft.training.loop import Loop
from graft.training.progress import MACHINE_METRICS


def weights(loop: Loop) -> dict[str, torch.Tensor]:
    """The trained weights."""
    return {name: weight.detach().clone() for name, weight in loop.weights.items()}


def assert_equal(one: Loop, other: Loop) -> None:
    for name, weight in weights(one).items():
        assert torch.equal(weight, weights(other)[name]), name


def test_the_same_seed_gives_the_same_weights_bit_for_bit(make_loop: Any) -> None:
    one, other = make_loop("one"), make_loop("other")
    one.run()
    other.run()
    assert_equal(one, other)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"adapter": FullConfig(method="full", freeze_layers=0)},
        {"optimizer": "adamw_8bit"},
    ],
    ids=["adapter", "all weights", "8-bit optimizer"],
)
def test_a_killed_training_resumes_to_the_weights_of_an_uninterrupted_one(
    make_loop: Any, changes: dict[str, Any]
) -> None:
    make_loop = partial(make_loop, **changes)
    uninterrupted = make_loop("uninterrupted")
    uninterrupted.run()
    assert uninterrupted.num_steps > 6
    with pytest.raises(Killed):
        make_loop("broken", log=Log(dies_at=6)).run()
    resumed = make_loop("broken")
    assert resumed.resume() == 4
    resumed.run()
    assert_equal(uninterrupted, resumed)
    history = resumed.progress.history
    trained = [line["step"] for line in history if "train/loss" in line]
    assert trained == list(range(1, uninterrupted.num_steps + 1))
    assert MACHINE_METRICS.isdisjoint(set().union(*history))
    assert history == uninterrupted.progress.history


def test_a_signal_ends_a_training_after_its_step_from_which_it_resumes_exactly(
    make_loop: Any,
) -> None:
    make_loop = partial(make_loop, log_every=4, evaluate_every=8, max_steps=12)
    uninterrupted = make_loop("uninterrupted")
    uninterrupted.run()
    loop, sent = make_loop("broken"), list[bool]()
    forward = loop._forward  # pylint: disable=protected-access

    def interrupt(batch: Any) -> Any:
        if loop.progress.step == 5 and not sent:
            sent.append(True)
            signal.raise_signal(signal.SIGTERM)
        return forward(batch)

    loop._forward = interrupt  # pylint: disable=protected-access
    with pytest.raises(Interrupted) as raised:
        loop.run()
    assert raised.value.number == signal.SIGTERM
    resumed = make_loop("broken")
    assert resumed.resume() == 6  # neither logged nor validated
    resumed.run()
    assert_equal(uninterrupted, resumed)
    assert resumed.progress.history == uninterrupted.progress.history


def test_packing_efficiency_and_mfu_are_logged(make_loop: Any, params: Any) -> None:
    log = Log()
    sections = (params.adapter, params.quantization, params.train)
    setup, _ = to_setup(MISTRAL_7B, "here", "bfloat16", sections)
    documents, limit = make_documents(120), MfuReference(setup, 1e15)
    loop = make_loop(log=log, train=documents, max_steps=2, mfu_reference=limit)
    history = loop.run().history
    logged = [values for _, values in log.seen if "train/loss" in values]
    for step, values in enumerate(logged):
        sharded = documents.step(step, 4, 2, loop.config.seed)
        tokens = sum(
            documents.batch(packs, "cpu").input_ids.numel() for packs in sharded
        )
        assert values["train/packing_efficiency"] == tokens / (4 * 64)
        assert 0 < values["train/mfu"] < 1
    assert {"train/packing_efficiency", "train/loss"} < history[1].keys()
    assert MACHINE_METRICS.isdisjoint(set().union(*history))


def test_curves_do_not_depend_on_where_a_training_was_killed(make_loop: Any) -> None:
    values = {"log_every": 3, "evaluate_every": 4, "max_steps": 10}
    uninterrupted = make_loop("uninterrupted", **values).run()
    with pytest.raises(Killed):
        make_loop("broken", log=Log(dies_at=6), **values).run()
    resumed = make_loop("broken", **values)
    assert resumed.resume() == 4
    assert resumed.run().history == uninterrupted.history


def test_the_loss_of_a_step_does_not_depend_on_its_micro_batches(
    make_loop: Any,
) -> None:
    logs = []
    for size in (1, 2, 4):
        log = Log()
        loop = make_loop(f"by-{size}", log, micro_batch_size=size, max_steps=1)
        loop.run()
        logs.append(log.seen[1][1])
    # Dropout masks differ with the batches, but have no effect while B is zero.
    for other in logs[1:]:
        assert other["train/loss"] == pytest.approx(logs[0]["train/loss"], rel=1e-5)


def test_early_stopping_keeps_the_best_weights(
    make_loop: Any,
) -> None:
    loop = make_loop(
        learning_rate=0.5, evaluate_every=1, early_stopping_patience=2, epochs=5
    )
    progress = loop.run()
    assert progress.step < loop.num_steps
    assert progress.worse_in_a_row == 2
    assert loop.validation_loss() == pytest.approx(progress.best_loss, rel=1e-6)


def test_a_nan_loss_stops_the_run_with_the_examples_of_its_step(
    make_loop: Any,
) -> None:
    loop = make_loop(learning_rate=1e30, max_grad_norm=1e30)
    with pytest.raises(ModelError, match="example-"):
        loop.run()


def test_validation_does_not_change_gradients_of_a_4_bit_model(
    make_loop: Any, params: Any
) -> None:
    quantization = params.quantization.model_copy(update={"compute_dtype": "bfloat16"})
    plain = make_loop("plain", quantization=quantization, evaluate_every=1000)
    checked = make_loop("checked", quantization=quantization, evaluate_every=1)
    logs = []
    for loop in (plain, checked):
        loop.run()
        logs.append(
            [
                h["train/gradient_norm"]
                for h in loop.progress.history
                if "train/loss" in h
            ]
        )
    assert logs[0] == logs[1]
    assert all(math.isfinite(norm) and norm > 0 for norm in logs[0])


def test_a_nan_validation_loss_writes_no_checkpoint(
    make_loop: Any,
) -> None:
    loop = make_loop(learning_rate=1e30, max_steps=1)
    with pytest.raises(ModelError, match="validation after step 1"):
        loop.run()
    assert loop.store.steps() == []


def test_a_loss_that_explodes_stops_the_run_and_names_examples(make_loop: Any) -> None:
    loop = make_loop(max_steps=20, epochs=20, evaluate_every=5)
    forward = loop._forward  # pylint: disable=protected-access

    def explode(batch: Any) -> Any:
        return forward(batch) * (5 if loop.progress.step >= 10 else 1)

    loop._forward = explode  # pylint: disable=protected-access
    with pytest.raises(
        ModelError, match="(?s)step 13: .*exploded to .*example-.*step 10"
    ) as caught:
        loop.run()
    assert "learning_rate" in caught.value.fix
    assert loop.store.steps()[-1] == 10


def test_a_training_that_stopped_early_stays_stopped_when_resumed(
    make_loop: Any,
) -> None:
    values = {"learning_rate": 0.5, "evaluate_every": 1, "epochs": 5}
    values |= {"early_stopping_patience": 2}
    first = make_loop(**values)
    stopped = first.run()
    assert stopped.step < first.num_steps
    again = make_loop(**values)
    assert again.resume() == stopped.step
    assert again.run() == stopped
    assert_equal(first, again)
    best = first.store.load_weights(stopped.best_step)
    assert all(torch.equal(best[name], w) for name, w in weights(again).items())
