"""On a GPU: offloaded tensors come back, however memory was used in between."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]
DEVICE = "cuda:0"


def values(number: int, size: int) -> torch.Tensor:
    generator = torch.Generator(DEVICE).manual_seed(number)
    return torch.rand(size, generator=generator, device=DEVICE)


def work() -> None:
    """Keep the device busy for a while, in memory that is freed afterwards."""
    one = torch.rand(2048, 2048, device=DEVICE)
    for _ in range(5):
        one = one @ one / one.sum()


def test_tensors_are_fetched_unchanged_in_reverse_order() -> None:
    from graft.training.fused.offloading import ActivationOffloader

    offloader, size = ActivationOffloader(torch.device(DEVICE)), 5_000_000
    for _ in range(2):
        offloaded = []
        for number in range(12):
            offloaded.append(
                offloader.offload([values(number, size), values(-number, 7)])
            )
            work()
        for number in reversed(range(12)):
            large, small = offloader.fetch(offloaded.pop())
            work()
            assert torch.equal(large, values(number, size))
            assert torch.equal(small, values(-number, 7))


def test_only_a_few_offloaded_layers_stay_on_the_device() -> None:
    from graft.training.fused.offloading import ActivationOffloader

    offloader, size = ActivationOffloader(torch.device(DEVICE)), 50_000_000
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    offloaded = [offloader.offload([values(number, size)]) for number in range(10)]
    while offloaded:
        offloader.fetch(offloaded.pop())
    most = torch.cuda.max_memory_allocated() - before
    assert most <= 6 * 4 * size + 2**20
    assert torch.cuda.memory_allocated() == before


def test_a_forward_pass_without_backward_does_not_affect_the_next() -> None:
    from graft.training.fused.offloading import ActivationOffloader

    offloader = ActivationOffloader(torch.device(DEVICE))
    first = offloader.offload([values(1, 1000)])
    offloader.offload([values(2, 1000)])  # of a pass that failed
    (found,) = offloader.fetch(first)
    assert torch.equal(found, values(1, 1000))
