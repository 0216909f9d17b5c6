"""Operations that training requires, and the share of the GPU's peak that they use."""

from dataclasses import dataclass

from graft.planning.setup import BatchShape, Setup


def useful_flops(setup: Setup, batch: BatchShape) -> float:
    """Operations of the matrix products that a micro-batch requires.

    4 per weight and token, for the output and the gradient of the input, and 2 more if
    the weight is trained. Recomputation is not counted, nor are attention and adapters
    (a few percent).

    Source: Chowdhery et al. 2022, arXiv:2204.02311, appendix B, without attention.
    """
    layers, head = batch.tokens * setup.shape.linear_parameters, head_products(
        setup, batch
    )
    return 4 * (layers + head) + weight_gradient_flops(setup, batch)


def weight_gradient_flops(setup: Setup, batch: BatchShape) -> float:
    """Operations for the gradients of trained weights of the base."""
    if setup.lora is not None:
        return 0.0
    share = setup.trained_layers / setup.shape.layers
    layers = batch.tokens * setup.shape.linear_parameters * share
    return 2 * (layers + head_products(setup, batch))


def head_products(setup: Setup, batch: BatchShape) -> int:
    """Products of the output layer, one per weight and trained token."""
    return batch.trained * setup.shape.table


@dataclass(frozen=True)
class MfuReference:
    """The reference for the model FLOPs utilisation of a training.

    `limit`: peak operations per second of all GPUs, from their data sheets.
    """

    setup: Setup
    limit: float

    def mfu(self, tokens: int, trained: int, seconds: float) -> float:
        """Model FLOPs utilisation: required operations / peak operations."""
        batch = BatchShape(tokens, trained, 1.0)
        return useful_flops(self.setup, batch) / (seconds * self.limit)
