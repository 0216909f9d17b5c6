"""Loading a base model: pinned, checked, and quantized as the config says."""

import logging
import sys
from pathlib import Path
from typing import Any, Literal

import torch

from graft.config import ModelConfig, QuantizationConfig
from graft.errors import ModelError
from graft.models import model_digest, model_folder
from graft.training.attention import PACKED, register_packed_attention

Attention = Literal["sdpa", "packed"]


def load_base(
    model: ModelConfig,
    quantization: QuantizationConfig,
    device: str,
    attention: Attention = "sdpa",
) -> Any:
    """The base model, frozen, on a device.

    Args:
        model: a local folder, whose content must have the digest `revision`; or a hub
            id, of which that revision is taken.
        quantization: how linear layers but the output layer are stored.
        device: `cpu` or `cuda`.
        attention: `packed` for training, where a row holds many documents.
    Returns: a transformers causal language model.
    Raises: ModelError if it is missing, changed, or cannot be loaded.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as transformers_logging

    # It offers a faster kernel that a download would bring; ours are all local.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    # Tells of a missing folder at once, instead of asking the hub for its name.
    model_folder(model.path, model.revision, ["config.json"])
    local = Path(model.path).is_dir()
    if local:
        check_revision(model)
    if attention == "packed":
        register_packed_attention()
    try:
        base = AutoModelForCausalLM.from_pretrained(
            model.path,
            revision=None if local else model.revision,
            dtype=getattr(torch, model.dtype),
            quantization_config=quantization_of(quantization),
            device_map={"": device},
            attn_implementation=PACKED if attention == "packed" else attention,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{model.path}@{model.revision}",
            f"cannot be loaded: {str(error).strip().splitlines()[0]}",
            expected="a causal language model in safetensors",
            fix="check model.path and model.revision; a gated model needs HF_TOKEN",
        ) from error
    base.requires_grad_(False)
    base.config.use_cache = attention == "sdpa"
    return base


def check_revision(model: ModelConfig) -> None:
    """Raises: ModelError if a local folder's content is not what `revision` names."""
    found = model_digest(Path(model.path))
    if found != model.revision:
        raise ModelError(
            model.path,
            f"the folder's content is {found}, not model.revision {model.revision}",
            expected="the files that the configuration was written for",
            fix=f"restore them, or if the change is meant set model.revision: "
            f"'{found}' in configs/model, then: graft params",
        )


def quantization_of(quantization: QuantizationConfig) -> Any:
    """transformers' description of a quantization; None for none."""
    if quantization.method == "none":
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantization.method,
        bnb_4bit_use_double_quant=quantization.double_quant,
        bnb_4bit_compute_dtype=getattr(torch, quantization.compute_dtype),
    )
