"""Triton kernels of decoder layers, for CUDA. `plain` has the same functions.

All arithmetic is in float32, whatever the dtype of inputs and outputs. Tensors are
[tokens, features] with contiguous features. Names that end in `_` work in place.
"""

from graft.kernels.dequantize import dequantize_
from graft.kernels.dropout import dropout
from graft.kernels.entropy import cross_entropy_
from graft.kernels.norms import add_norm, norm, norm_backward
from graft.kernels.rotary import rotate_, rotate_backward
from graft.kernels.swiglu import swiglu, swiglu_backward_

__all__ = [
    "add_norm",
    "cross_entropy_",
    "dequantize_",
    "dropout",
    "rotate_backward",
    "norm",
    "norm_backward",
    "rotate_",
    "swiglu",
    "swiglu_backward_",
]
