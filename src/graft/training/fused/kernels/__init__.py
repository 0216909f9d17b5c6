"""Kernels of a fused layer, in Triton, for CUDA. `plain` has the same functions.

All work is done in float32 whatever is read and written. Tensors are [tokens, features]
with features side by side in memory. A name that ends in `_` writes into its arguments.
"""

from graft.training.fused.kernels.dequantize import dequantize_
from graft.training.fused.kernels.dropout import dropout
from graft.training.fused.kernels.entropy import cross_entropy_
from graft.training.fused.kernels.norms import add_norm, norm, norm_backward
from graft.training.fused.kernels.rotary import join_turned_back, rotate_
from graft.training.fused.kernels.swiglu import swiglu, swiglu_backward_

__all__ = [
    "add_norm",
    "cross_entropy_",
    "dequantize_",
    "dropout",
    "join_turned_back",
    "norm",
    "norm_backward",
    "rotate_",
    "swiglu",
    "swiglu_backward_",
]
