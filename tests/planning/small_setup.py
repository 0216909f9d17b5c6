"""Configurations whose memory and speed are estimated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_shapes import MISTRAL_7B

from graft.config import FullConfig
from graft.config.params import load_params
from graft.planning.setup import BatchShape, Setup
from graft.planning.shapes import to_shape

BATCH = BatchShape(tokens=16384, trained=8192, span=1300.0)
FULL = FullConfig(method="full", freeze_layers=0)
PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")


def make_setup(
    config: Mapping[str, Any] | None = None,
    fused: bool = True,
    full: FullConfig | None = None,
    **changes: dict[str, Any],
) -> Setup:
    """A setup of Mistral-7B with rank 16 and NF4; keywords change sections by name.
    `full`: full fine-tuning in plain layers instead."""
    if full:
        fused, changes = False, {"quantization": {"method": "none"}, **changes}
    sections = {
        "adapter": full
        or PARAMS.adapter.model_copy(
            update={"rank": 16, "alpha": 32, **changes.get("adapter", {})}
        ),
        "quantization": PARAMS.quantization.model_copy(
            update=changes.get("quantization", {})
        ),
        "train": PARAMS.train.model_copy(
            update={"micro_batch_size": 8, **changes.get("train", {})}
        ),
    }
    return Setup(to_shape(config or MISTRAL_7B, "here"), **sections, fused=fused)
