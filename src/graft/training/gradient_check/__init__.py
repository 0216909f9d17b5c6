"""Whether gradients are those of the loss: tried on real examples before training.

A training whose gradients are wrong ends like any other, with an adapter that is worse
than none. So one real micro-batch is computed as a step does it, and each decoder layer
once more as plainly as can be, one at a time: from the recorded input and the recorded
gradient of its output. What differs beyond rounding stops the training.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from graft.training.batches import PackedDocuments
from graft.training.gradient_check.comparison import (
    ComparisonResult,
    GradientComparison,
)
from graft.training.gradient_check.examples import choose_examples
from graft.training.gradient_check.recording import (
    check_repeatable,
    check_weight_layout,
    find_parts,
    products_dtype,
    random_adapters,
    record,
)
from graft.training.losses import Forward


def check_gradients(
    model: Any,
    forward: Forward,
    documents: PackedDocuments,
    packs: Sequence[int],
    weights: Mapping[str, Tensor],
    dtype: torch.dtype,
    where: str,
) -> ComparisonResult:
    """Compare the gradients of some real sequences with a plain computation of them.

    Weights, gradients and random state are left as they were.

    Args:
        forward: the loss of a micro-batch, without noise.
        documents: what is trained on.
        packs: sequences of `documents`, of which the first few are taken.
        weights: the trained weights by name; none has a gradient now.
        dtype: of matrix products.
        where: the place in the training, for the error.
    Raises: ModelError naming layer, weight and both norms; or if two passes without
        gradients differ: dropout is on, which has to be off here.
    """
    parts, examples = find_parts(model), choose_examples(documents, packs)
    batch = documents.batch(examples.packs, str(model.device))
    examples.check(batch, where)
    names = {id(weight): name for name, weight in weights.items()}
    check_weight_layout(model, where)
    dtype = products_dtype(model, dtype)
    gpus = [model.device] if model.device.type == "cuda" else []
    with random_adapters(weights), torch.random.fork_rng(gpus):
        check_repeatable(forward, batch, where)
        recording = record(model, parts, forward, batch, weights)
        return GradientComparison(
            model, parts, examples, recording, names, dtype, where
        ).run()
