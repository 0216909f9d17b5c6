"""Adapters come and go while a thread runs the model; what does not fit is refused."""

import copy
from threading import Thread
from typing import Any

import pytest
import torch
from saved_adapters import save_adapter

from graft.errors import ModelError, RequestError
from graft.inference.adapters import number_adapters
from graft.inference.batching import ContinuousBatch, run_requests
from graft.inference.requests import GenerationRequest

PROMPT, LENGTH = [3, 5, 8], 64


def answer(model: Any, adapter: str | None) -> list[int]:
    """Tokens of the prompt alone."""
    row = GenerationRequest("alone", PROMPT, 8, adapter)
    return [token for event in run_requests(model, [row], 1) for token in event.tokens]


def test_an_adapter_comes_and_goes_beside_a_row_that_another_thread_runs(
    model, tmp_path
):
    own = copy.deepcopy(model)  # without any adapter at first
    batch = ContinuousBatch(own, 3, LENGTH)
    found: dict[Any, list[int]] = {}

    def run() -> None:
        for event in batch.events():
            found.setdefault(event.key, []).extend(event.tokens)

    thread = Thread(target=run)
    thread.start()
    batch.add(GenerationRequest("long", PROMPT, 60))
    expected = []
    for seed in range(3):
        folder = save_adapter(model, tmp_path / str(seed), seed)
        alone = ContinuousBatch(copy.deepcopy(model), 1, LENGTH)
        alone.add_adapter("new", folder)
        alone.add(GenerationRequest(seed, PROMPT, 8, "new"))
        alone.close()
        expected.append([t for event in alone.events() for t in event.tokens])
        batch.add_adapter("new", folder)
        batch.add(GenerationRequest(seed, PROMPT, 8, "new"))
        batch.remove_adapter("new")
    batch.close()
    thread.join()
    assert [found[seed] for seed in range(3)] == expected
    assert len(set(map(tuple, expected))) == 3
    assert found["long"][:8] == answer(model, None)
    assert number_adapters(own) == {None: 0}
    assert answer(own, None) == answer(model, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"use_dora": True},
        {"lora_bias": True},
        {"modules_to_save": ["lm_head"]},
        {"target_modules": ["embed_tokens"]},
    ],
)
def test_an_adapter_that_rows_cannot_switch_is_refused(
    model, adapted, tmp_path, changes
):
    folder = save_adapter(model, tmp_path, 0, **changes)
    with pytest.raises(ModelError, match="rows cannot switch this adapter"):
        ContinuousBatch(adapted, 1, LENGTH).add_adapter("new", folder)


def test_an_adapter_of_another_base_is_refused_and_leaves_no_trace(
    model, adapted, tmp_path
):
    own = copy.deepcopy(adapted)
    batch = ContinuousBatch(own, 1, LENGTH)
    before = answer(own, "champion")
    wide, deep = copy.deepcopy(model), copy.deepcopy(model)
    for layer in wide.model.layers:
        layer.mlp.down_proj = torch.nn.Linear(96, 32, bias=False)
    deep.model.layers.append(copy.deepcopy(deep.model.layers[0]))
    for name, base in (("wide", wide), ("deep", deep)):
        folder = save_adapter(base, tmp_path / name, 0)
        with pytest.raises(ModelError, match="does not fit this base"):
            batch.add_adapter(name, folder)
    assert set(number_adapters(own.get_base_model())) == {
        None,
        "champion",
        "challenger",
    }
    assert answer(own, "champion") == before


def test_a_folder_without_an_adapter_and_a_name_in_use_are_refused(
    model, adapted, tmp_path
):
    batch = ContinuousBatch(adapted, 1, LENGTH)
    with pytest.raises(ModelError, match="lacks adapter_config.json and"):
        batch.add_adapter("new", tmp_path)
    folder = save_adapter(model, tmp_path / "saved", 0)
    with pytest.raises(RequestError, match="there is one with this name"):
        batch.add_adapter("champion", folder)
    with pytest.raises(RequestError, match="adapter missing"):
        batch.remove_adapter("missing")
