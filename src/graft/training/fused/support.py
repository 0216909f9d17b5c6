"""Which models and settings fused layers can compute."""

from importlib.util import find_spec
from typing import Any

import torch

from graft.config import AdapterConfig

FAMILIES = ("llama", "mistral", "qwen2")
_LINEARS = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def obstacle(base: Any, adapter: AdapterConfig, dtype: torch.dtype) -> str:
    """Why this base cannot be trained by fused layers; empty if it can.

    Args:
        base: a transformers causal language model.
        adapter: what will be put on it.
        dtype: of matrix products.
    """
    config = base.config
    wanted = adapter.target_modules
    others = set() if isinstance(wanted, str) else set(wanted) - _LINEARS
    problems = {
        f"{config.model_type} is not one of {', '.join(FAMILIES)}": (
            config.model_type not in FAMILIES
        ),
        f"the activation is {getattr(config, 'hidden_act', None)}, not silu": (
            getattr(config, "hidden_act", None) != "silu"
        ),
        "attention has dropout": bool(getattr(config, "attention_dropout", 0)),
        "DoRA changes the weights' lengths": adapter.dora,
        f"adapters stand on {', '.join(sorted(others))}": bool(others),
        f"the base is {base.dtype} and products are {dtype}": base.dtype != dtype,
    }
    return next((problem for problem, there in problems.items() if there), "")


def lacking(device: torch.device) -> str:
    """What is not installed that fused layers need there; empty if nothing."""
    lacks = device.type == "cuda" and find_spec("triton") is None
    return "Triton is not installed" if lacks else ""
