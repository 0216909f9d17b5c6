"""The dtypes in which kernels are tested."""

from typing import Any

import pytest
import torch


@pytest.fixture(params=[torch.float32, torch.bfloat16])
def dtype(request: Any) -> torch.dtype:
    found: torch.dtype = request.param
    return found
