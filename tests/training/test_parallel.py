import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graft.errors import HardwareError
from graft.training.fused.frozen import QuantizedWeight, Workspace
from graft.training.launching import launch
from graft.training.parallel import DataParallelGroup


@given(st.lists(st.integers(), min_size=1, max_size=20), st.integers(1, 6))
def test_each_item_counts_once_and_all_processes_make_equally_many_passes(
    items: list[int], size: int
) -> None:
    shares = [DataParallelGroup(rank, size).shard(items) for rank in range(size)]
    assert len({len(share) for share in shares}) == 1
    counted = [item for share in shares for item, counts in share if counts]
    assert sorted(counted) == sorted(items)


def test_collective_operations_of_one_process_change_nothing() -> None:
    alone = DataParallelGroup()
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.full((3,), 2.0)
    alone.all_reduce_gradients([weight])
    assert weight.grad.tolist() == [2, 2, 2]
    assert alone.all_reduce_sum([1.5, 2]) == [1.5, 2]
    assert alone.broadcast("x") == "x" and alone.is_first


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(HardwareError, match="num_processes=99: torch sees"):
        launch(99, "cuda")


def test_one_process_is_not_launched() -> None:
    assert not launch(1, "cpu")


class Together(DataParallelGroup):
    """Simulated processes: the parts that each one holds."""

    parts: dict[int, torch.Tensor] = {}

    def all_gather(self, whole: torch.Tensor, part: torch.Tensor) -> None:
        del part
        whole.copy_(torch.cat([self.parts[rank] for rank in range(self.size)]))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_sharded_weight_is_gathered_unchanged(size: int) -> None:
    from bitsandbytes.functional import quantize_4bit

    values = torch.randn(6, 64)
    Together.parts.clear()
    sharded, expected = [], None
    for rank in range(size):
        packed, state = quantize_4bit(values, quant_type="nf4")
        expected = packed.clone()
        weight = torch.nn.Parameter(packed, requires_grad=False)
        weight.quant_state = state  # type: ignore[attr-defined]
        group = Together(rank, size)
        workspace = Workspace(torch.float32, torch.device("cpu"), group)
        sharded.append(QuantizedWeight(weight, workspace))
        Together.parts[rank] = sharded[-1]._bytes  # pylint: disable=protected-access
        assert weight.numel() == 0
    assert expected is not None
    for one in sharded:
        assert torch.equal(one.gather(), expected)
    held = sum(len(part) for part in Together.parts.values())
    assert held < expected.numel() + size * len(Together.parts)
