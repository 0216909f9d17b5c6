from typing import Any

import pytest
from model_shapes import MISTRAL_7B
from small_setup import PARAMS

from graft.errors import ModelError
from graft.planning.shapes import fusion_obstacle, to_shape


def test_parameters_are_those_on_the_model_card() -> None:
    shape = to_shape(MISTRAL_7B, "here")
    assert shape.linear_parameters + shape.other_parameters == 7_248_023_552


def test_a_tied_table_counts_once() -> None:
    tied = to_shape(MISTRAL_7B | {"tie_word_embeddings": True}, "here")
    untied = to_shape(MISTRAL_7B, "here")
    assert untied.other_parameters - tied.other_parameters == 32768 * 4096


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mamba"}, "of a mamba"),
        ({"hidden_size": None}, "without hidden_size"),
    ],
)
def test_unknown_sizes_are_an_error(changes: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        to_shape(MISTRAL_7B | changes, "models/x")


@pytest.mark.parametrize(
    ("changes", "adapter", "message"),
    [
        ({}, {}, ""),
        ({"model_type": "gemma3"}, {}, "gemma3 is not one of llama, mistral, qwen2"),
        ({"hidden_act": "gelu"}, {}, "gelu, not silu"),
        ({"attention_dropout": 0.1}, {}, "attention has dropout"),
        ({}, {"dora": True}, "DoRA"),
        ({}, {"target_modules": ["q_proj", "lm_head"]}, "adapters on lm_head"),
    ],
)
def test_each_obstacle_to_fused_layers_is_named(
    changes: Any, adapter: Any, message: str
) -> None:
    wanted = PARAMS.adapter.model_copy(update=adapter)
    found = fusion_obstacle(MISTRAL_7B | changes, wanted, "bfloat16", "bfloat16")
    assert message in found and bool(found) == bool(message)


def test_another_compute_dtype_is_an_obstacle() -> None:
    assert "float32" in fusion_obstacle(
        MISTRAL_7B, PARAMS.adapter, "bfloat16", "float32"
    )
