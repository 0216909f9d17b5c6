"""What a training has to compute, and which share of a GPU's limit that is."""

from dataclasses import dataclass

from graft.planning.setup import Load, Setup


def useful(setup: Setup, load: Load) -> float:
    """Operations of matrix products that a micro-batch needs, whatever is computed
    again: 4 a weight and token, for the outcome and for the gradient of the input; 2
    more where the weight has a gradient of its own. Attention and adapters, a few
    percent, are not counted.

    Source: Chowdhery et al. 2022, arXiv:2204.02311, appendix B, without attention.
    """
    layers, head = load.tokens * setup.shape.linear_parameters, head_work(setup, load)
    return 4 * (layers + head) + own_gradients(setup, load)


def own_gradients(setup: Setup, load: Load) -> float:
    """Operations for the gradients of trained weights of the base."""
    if setup.lora is not None:
        return 0.0
    share = setup.trained_layers / setup.shape.layers
    layers = load.tokens * setup.shape.linear_parameters * share
    return 2 * (layers + head_work(setup, load))


def head_work(setup: Setup, load: Load) -> int:
    """Products of the output layer, one for each weight and learned token."""
    return load.learned * setup.shape.table


@dataclass(frozen=True)
class Yardstick:
    """What the speed of a training is held against.

    `limit`: operations a second of all its GPUs, by their data sheets.
    """

    setup: Setup
    limit: float

    def mfu(self, tokens: int, learned: int, seconds: float) -> float:
        """Model FLOPs utilization: useful operations, by what the GPUs could do."""
        load = Load(tokens, learned, 1.0)
        return useful(self.setup, load) / (seconds * self.limit)
