from typing import Any

import pytest
from model_shapes import QWEN_7B
from small_training import make_documents

from graft.errors import HardwareError
from graft.training.fitting import (
    MemoryBudget,
    probe_memory,
    resolve_checkpointing,
    to_batch_shape,
)
from graft.training.parallel import DataParallelGroup


def sections(params: Any, **changes: Any) -> Any:
    train = params.train.model_copy(update=changes)
    return params.adapter, params.quantization, train


def test_auto_is_resolved_by_free_memory(params: Any) -> None:
    found = {}
    for free in (None, 139.0, 15.0):
        setup = sections(params, gradient_checkpointing="auto", micro_batch_size=64)
        budget = MemoryBudget("cpu" if free is None else "cuda", "card", free)
        train = resolve_checkpointing(
            budget, QWEN_7B, "bfloat16", setup, make_documents(64)
        )
        found[free] = train.gradient_checkpointing
    assert found[None] is False and found[139.0] is False and found[15.0] is not False


def test_training_that_does_not_fit_is_refused_with_what_to_change(params: Any) -> None:
    setup = sections(params, gradient_checkpointing=False, micro_batch_size=1024)
    with pytest.raises(HardwareError, match="(?s)10.0 are free.*set train") as caught:
        resolve_checkpointing(
            MemoryBudget("cuda", "card", 10.0),
            QWEN_7B,
            "bfloat16",
            setup,
            make_documents(64),
        )
    assert "gradient_checkpointing" in caught.value.fix


def test_other_families_are_not_estimated(params: Any) -> None:
    setup = sections(params, gradient_checkpointing="auto")
    other = QWEN_7B | {"model_type": "gemma3"}
    budget = MemoryBudget("cuda", "card", 0.1)
    train = resolve_checkpointing(budget, other, "bfloat16", setup, make_documents(8))
    assert train.gradient_checkpointing is True


def test_the_largest_micro_batch_counts() -> None:
    documents = make_documents(40)
    batch = to_batch_shape(documents, 3)
    totals = [sum(documents.lengths[i] for i in pack) for pack in documents.packs]
    assert batch.tokens == 3 * max(totals)
    assert 0 < batch.trained < batch.tokens
    assert min(documents.lengths) <= batch.span <= max(documents.lengths)


def test_the_memory_of_a_cpu_is_not_checked() -> None:
    assert probe_memory(DataParallelGroup(device="cpu")).free_gib is None
