"""A process's share of the work: of a step's micro-batches, and of a whole split."""

from dataclasses import dataclass

import torch

from graft.config import TrainConfig
from graft.training.batches import MicroBatch, PackedDocuments
from graft.training.forward import PreparedModel
from graft.training.parallel import DataParallelGroup


@dataclass(frozen=True)
class StepShare:
    """The micro-batches of a process in a step, each with the weight 1 or 0.

    Over all processes: `weight`: sum of the loss weights; `num_tokens`, `num_trained`:
    tokens, and those that carry loss; `capacity`: of the sequences, in tokens.
    """

    batches: list[tuple[MicroBatch, int]]
    weight: float
    num_tokens: int
    num_trained: int
    capacity: int


def share_of_step(
    documents: PackedDocuments,
    number: int,
    config: TrainConfig,
    group: DataParallelGroup,
    device: str,
) -> StepShare:
    """This process's share of the step with this number, counted from 0."""
    micro_batches = documents.step(
        number, config.global_batch_size, config.micro_batch_size, config.seed
    )
    batches = [
        (documents.batch(packs, device), counts)
        for packs, counts in group.shard(micro_batches)
    ]
    weight, num_tokens, num_trained = group.all_reduce_sum(
        [
            sum(batch.total * counts for batch, counts in batches),
            sum(batch.input_ids.numel() * counts for batch, counts in batches),
            sum(len(batch.targets) * counts for batch, counts in batches),
        ]
    )
    capacity = sum(map(len, micro_batches)) * documents.max_seq_len
    return StepShare(batches, weight, int(num_tokens), int(num_trained), capacity)


def mean_loss(
    prepared: PreparedModel,
    documents: PackedDocuments,
    size: int,
    group: DataParallelGroup,
) -> float:
    """Mean negative log-likelihood of the trained tokens of a split, in nats, by all
    processes together, `size` sequences at a time."""
    device = str(prepared.model.device.type)
    total = torch.zeros((), device=device, dtype=torch.float64)
    with torch.no_grad():
        for packs, counts in group.shard(documents.in_batches(size)):
            total += prepared.forward(documents.batch(packs, device)) * counts
    (whole,) = group.all_reduce_sum([total.item()])
    return whole / documents.num_trained
