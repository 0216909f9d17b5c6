"""The difference of a gradient and its reference, its tolerance, and the error."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from graft.errors import ModelError

TOLERANCE = {torch.float32: 2e-3, torch.bfloat16: 0.05, torch.float16: 0.05}
"""Largest relative error, by the dtype of matrix products. Correct gradients were
measured to have at most a third of it (docs/LOG.md)."""
_NOISE = 4.0
"""Rounding errors are larger where large terms cancel. A gradient's error may be this
many times that of the reference computed in the same dtype."""


Kind = Literal["gradient", "value"]


@dataclass(frozen=True)
class Difference:
    """The difference of a gradient and its reference.

    Attributes:
        name: of a weight, or of a state between layers.
        kind: whether its gradient or its value was compared.
        norm, expected_norm: of the gradient, and of the reference.
        error: norm of the difference over `expected_norm`.
        cosine: of the angle between them.
    """

    name: str
    kind: Kind
    norm: float
    expected_norm: float
    error: float
    cosine: float


def compare(
    name: str, found: Tensor | None, expected: Tensor, kind: Kind = "gradient"
) -> Difference:
    """Compare a gradient or a value with its reference. None counts as zeros."""
    wide = expected.detach().flatten().double()
    own = torch.zeros_like(wide)
    if found is not None:
        own = found.detach().to(wide.device).flatten().double()
    norm, right = float(own.norm()), float(wide.norm())
    error = float((own - wide).norm())
    return Difference(
        name,
        kind,
        norm,
        right,
        error / right if right else error,
        float(own @ wide) / (norm * right) if norm and right else float(norm == right),
    )


def is_within(found: Difference, tolerance: float, noise: float = 0.0) -> bool:
    """Whether the difference can be due to rounding. NaN is False.

    Args:
        noise: relative error of the reference in the dtype of the matrix products.
    """
    return found.error <= max(tolerance, _NOISE * noise)


def wrong_gradient(where: str, found: Difference, tolerance: float) -> ModelError:
    """The error for a gradient or value that differs from its reference."""
    problem = (
        f"the {found.kind} of {found.name} is wrong: its norm is {found.norm:.3g}, "
        f"that of the reference {found.expected_norm:.3g} "
        f"(relative error {found.error:.2g}, cosine {found.cosine:.3f})"
    )
    if not found.norm:
        problem = (
            f"no gradient reaches {found.name}, whose reference has norm "
            f"{found.expected_norm:.3g}"
        )
    return ModelError(
        where,
        problem,
        expected=f"a relative error of at most {tolerance:.2g}",
        fix="set train.kernels=plain if fused layers were used; try quantization=none "
        "to see whether 4-bit weights are the cause. Please report it with the "
        "processor or GPU and the versions of torch, bitsandbytes and peft",
    )
