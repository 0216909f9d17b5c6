"""Adapters that vLLM can load."""

from pathlib import Path

from graft.errors import ModelError
from graft.io import read_json

VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values of vLLM's max_lora_rank. Source: vllm/config/lora.py, version 0.26."""


def vllm_rank(rank: int) -> int | None:
    """The max_lora_rank that an adapter needs; None if its rank is too large."""
    return next((allowed for allowed in VLLM_RANKS if allowed >= rank), None)


def check_vllm_adapter(folder: Path) -> int:
    """The max_lora_rank that vLLM needs for an adapter.

    Raises: ModelError if vLLM would not load it, or not apply all of it.
    """
    values = read_json(folder / "adapter_config.json")
    largest = max([values["r"], *(values.get("rank_pattern") or {}).values()])
    rank = vllm_rank(largest)
    found = {
        "is of DoRA": values.get("use_dora"),
        "trains biases": values.get("bias", "none") != "none",
        "trains whole modules": values.get("modules_to_save"),
        f"has rank {largest}": rank is None,
    }
    reasons = [reason for reason, there in found.items() if there]
    if rank is None or reasons:
        raise ModelError(
            str(folder),
            f"vLLM cannot run this adapter: it {' and '.join(reasons)}",
            expected=f"LoRA of linear layers, of rank {VLLM_RANKS[-1]} or less",
            fix="set generation.backend=engine",
        )
    return rank
