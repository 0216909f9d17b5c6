from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graft.training.attention import lay_out, packed_attention
from graft.training.base import load_base


def logits(model: Any, documents: list[list[int]]) -> list[torch.Tensor]:
    """Logits of each document, all packed in one row."""
    lengths = [len(document) for document in documents]
    device = model.device.type
    with torch.no_grad():
        out = model(
            input_ids=torch.tensor([sum(documents, [])], device=device),
            position_ids=torch.cat([torch.arange(n) for n in lengths])[None].to(device),
            documents=lay_out(lengths, device),
            use_cache=False,
        ).logits[0]
    return list(out.split(lengths))


FIRST, SECOND, THIRD = [5, 9, 20, 31, 7], [11, 4, 90, 3, 8, 8, 61, 77, 12], [30, 31]
OTHER = [100, 101, 102, 103, 104]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_changing_a_document_leaves_the_others_logits_bit_equal(
    model_config: Any, unquantized: Any, dtype: str
) -> None:
    config = model_config.model_copy(update={"dtype": dtype})
    model = load_base(config, unquantized, "cpu", "packed")
    before = logits(model, [FIRST, SECOND, THIRD])
    after = logits(model, [OTHER, SECOND, THIRD])
    assert not torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert torch.equal(before[2], after[2])


def test_a_document_has_the_same_logits_packed_and_alone(
    model_config: Any, unquantized: Any
) -> None:
    packed = load_base(model_config, unquantized, "cpu", "packed")
    plain = load_base(model_config, unquantized, "cpu")
    for found, document in zip(logits(packed, [FIRST, SECOND]), [FIRST, SECOND]):
        with torch.no_grad():
            alone = plain(input_ids=torch.tensor([document])).logits[0]
        assert torch.allclose(found, alone, atol=1e-5)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=30))
def test_a_layout_contains_each_token_once(lengths: list[int]) -> None:
    documents = lay_out(lengths, "cpu")
    scattered = torch.cat([rows.scatter for rows in documents.rows])
    assert sorted(scattered.tolist()) == list(range(sum(lengths)))
    assert documents.starts.tolist()[-1] == sum(lengths)


def test_a_mask_is_refused_rather_than_ignored() -> None:
    states = torch.zeros(1, 2, 3, 8)
    with pytest.raises(ValueError, match="supports no mask"):
        packed_attention(
            None,
            states,
            states,
            states,
            torch.ones(3, 3),
            documents=lay_out([3], "cpu"),
        )


def test_float32_queries_and_keys_are_cast_to_the_dtype_of_values() -> None:
    states = torch.randn(1, 2, 3, 8)
    values = states.to(torch.bfloat16)
    documents = lay_out([3], "cpu")
    found, _ = packed_attention(None, states, states, values, None, documents=documents)
    rounded = packed_attention(None, values, values, values, None, documents=documents)
    assert found.dtype == torch.bfloat16 and torch.equal(found, rounded[0])


def test_a_window_shorter_than_a_document_is_refused_on_a_cpu() -> None:
    states = torch.zeros(1, 2, 9, 8)
    with pytest.raises(ValueError, match="sliding window"):
        packed_attention(
            None,
            states,
            states,
            states,
            None,
            documents=lay_out([9], "cpu"),
            sliding_window=4,
        )


@pytest.mark.gpu
def test_flash_attention_equals_padded_attention_on_a_cpu() -> None:
    lengths = [5, 33, 2, 60]
    torch.manual_seed(0)
    query = torch.randn(1, 4, 100, 64, dtype=torch.bfloat16)
    key, value = torch.randn(2, 1, 2, 100, 64, dtype=torch.bfloat16)
    slow, _ = packed_attention(
        None, query, key, value, None, documents=lay_out(lengths, "cpu")
    )
    fast, _ = packed_attention(
        None,
        query.cuda(),
        key.cuda(),
        value.cuda(),
        None,
        documents=lay_out(lengths, "cuda"),
    )
    assert torch.allclose(fast.cpu().float(), slow.float(), atol=2e-2)


@pytest.mark.gpu
def test_logits_on_a_gpu_equal_those_on_a_cpu_whatever_is_packed_beside(
    model_config: Any, unquantized: Any
) -> None:
    config = model_config.model_copy(update={"dtype": "bfloat16"})
    slow = load_base(config, unquantized, "cpu", "packed")
    fast = load_base(config, unquantized, "cuda", "packed")
    on_cpu = logits(slow, [FIRST, SECOND, THIRD])
    before = logits(fast, [FIRST, SECOND, THIRD])
    after = logits(fast, [OTHER, SECOND, THIRD])
    assert not torch.equal(before[0], after[0])
    for number in (1, 2):
        assert torch.equal(before[number], after[number])
        difference = (before[number].cpu() - on_cpu[number]).abs().max()
        assert difference < 0.05 * on_cpu[number].abs().max()


@pytest.mark.gpu
def test_on_a_gpu_a_sliding_window_hides_what_is_before_it() -> None:
    torch.manual_seed(0)
    states = list(torch.randn(3, 1, 2, 40, 64, dtype=torch.bfloat16).cuda())
    layout = lay_out([8, 32], "cuda")

    def attend() -> torch.Tensor:
        out, _ = packed_attention(
            None, *states, None, documents=layout, sliding_window=16
        )
        return out[0]

    before = attend()
    states[1][:, :, 8], states[2][:, :, 8] = 3.0, 3.0  # the second's first token
    after = attend()
    changed = (before != after).flatten(1).any(1).nonzero().squeeze(1).tolist()
    assert changed == list(range(8, 8 + 16))
