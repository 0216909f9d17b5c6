"""Check on real examples that gradients are those of the loss.

A training with wrong gradients ends without an error, but its adapter is worse than
none. So one real micro-batch is computed as in a training step, and each decoder layer
is recomputed by a simple reference, from its recorded input and the recorded gradient
of its output. A difference beyond rounding stops the training.
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
    """Compare the gradients of some real sequences with those of a simple reference.

    Weights, gradients and random state are not changed.

    Args:
        forward: computes the loss of a micro-batch, without NEFTune's noise.
        documents: the training data.
        packs: sequences of `documents`, of which the first few are used.
        weights: the trained weights by name, without gradients.
        dtype: of matrix products.
        where: the point in the training, for the error.
    Raises: ModelError with layer, weight and both norms; or if two passes without
        gradients differ, because dropout is on.
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
