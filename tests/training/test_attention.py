from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graft.training.attention import lay_out, packed_attention
from graft.training.base import load_base


def logits(model: Any, documents: list[list[int]]) -> list[torch.Tensor]:
    """Logits of each document, when all stand in one packed row."""
    lengths = [len(document) for document in documents]
    with torch.no_grad():
        out = model(
            input_ids=torch.tensor([sum(documents, [])]),
            position_ids=torch.cat([torch.arange(n) for n in lengths])[None],
            documents=lay_out(lengths, "cpu"),
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


def test_a_document_in_a_row_reads_as_it_does_alone(
    model_config: Any, unquantized: Any
) -> None:
    packed = load_base(model_config, unquantized, "cpu", "packed")
    plain = load_base(model_config, unquantized, "cpu")
    for found, document in zip(logits(packed, [FIRST, SECOND]), [FIRST, SECOND]):
        with torch.no_grad():
            alone = plain(input_ids=torch.tensor([document])).logits[0]
        assert torch.allclose(found, alone, atol=1e-5)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=30))
def test_a_layout_holds_every_token_once(lengths: list[int]) -> None:
    documents = lay_out(lengths, "cpu")
    scattered = torch.cat([rows.scatter for rows in documents.rows])
    assert sorted(scattered.tolist()) == list(range(sum(lengths)))
    assert documents.starts.tolist()[-1] == sum(lengths)


def test_a_mask_is_refused_rather_than_ignored() -> None:
    states = torch.zeros(1, 2, 3, 8)
    with pytest.raises(ValueError, match="takes no mask"):
        packed_attention(
            None,
            states,
            states,
            states,
            torch.ones(3, 3),
            documents=lay_out([3], "cpu"),
        )


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
def test_flash_attention_gives_what_rows_on_a_cpu_give() -> None:
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
