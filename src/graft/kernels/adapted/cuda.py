"""Triton kernels between the products of a decoder layer, for CUDA.

Each also adds what the adapters add to the product before it, so that adapters take no
pass over the outputs of their own. All arithmetic is in float32. Tensors are [tokens,
features] with contiguous features. `plain` has the same functions.
"""

from torch import Tensor

from graft.kernels import norms
from graft.kernels.adapted.rotary import rotate_and_store
from graft.kernels.adapted.sums import add_, add_norm_
from graft.kernels.adapted.swiglu import swiglu

__all__ = ["APPENDED", "add_", "add_norm_", "norm", "rotate_and_store", "swiglu"]
APPENDED = True
"""Whether the first matrices of adapters are rows of the weights of the base."""


def norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """RMSNorm of [tokens, features]."""
    return norms.norm(x, weight, eps)[0]
