"""How far a gradient may be from its reference, and the error where it is farther."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from graft.errors import ModelError

TOLERANCE = {torch.float32: 2e-3, torch.bfloat16: 0.05, torch.float16: 0.05}
"""Largest relative error, by the type of the products. Right gradients measured up to
a third of it (docs/LOG.md)."""
_NOISE = 4.0
"""A gradient in which large terms cancel is further away by rounding alone. It may be
off by this many times what the reference itself is off by in the same type."""


Kind = Literal["gradient", "value"]


@dataclass(frozen=True)
class Difference:
    """Between a gradient and its reference.

    Attributes:
        name: of a weight, or of a state between layers.
        kind: what of it was compared.
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
    """Hold a gradient, or a state, against its reference. None counts as zeros."""
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
    """Whether it is right as far as rounding goes. NaN never is.

    Args:
        noise: relative error of the reference itself, in the type of the products.
    """
    return found.error <= max(tolerance, _NOISE * noise)


def wrong_gradient(where: str, found: Difference, tolerance: float) -> ModelError:
    """The error for what is not as a plain computation gives it."""
    problem = (
        f"the {found.kind} of {found.name} is wrong: its norm is {found.norm:.3g}, "
        f"through dense weights and plain attention {found.expected_norm:.3g} "
        f"(relative error {found.error:.2g}, cosine {found.cosine:.3f})"
    )
    if not found.norm:
        problem = (
            f"no gradient reaches {found.name}, where plain layers give it one of "
            f"norm {found.expected_norm:.3g}"
        )
    return ModelError(
        where,
        problem,
        expected=f"a relative error of at most {tolerance:.2g}; nothing was trained "
        "on from here",
        fix="set train.kernels=plain if fused layers were used; quantization=none "
        "tells whether 4-bit weights are the cause. Please report it with the "
        "processor or GPU and the versions of torch, bitsandbytes and peft",
    )
