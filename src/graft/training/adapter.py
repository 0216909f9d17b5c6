"""The LoRA adapter: attached to a base model, saved, and loaded."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graft import io
from graft.config import LoraConfig, TrainConfig
from graft.errors import ModelError
from graft.models.adapter_record import RECORD
from graft.training.layers import check_freezable, first_layers_pattern
from graft.training.saving import atomic_weights


def attach_adapter(
    base: Any, adapter: LoraConfig, train: TrainConfig, *, checkpointing: bool
) -> Any:
    """A PEFT model: the frozen base with a new, trainable adapter.

    Adapter weights are float32 whatever the dtype of the base, because an update of a
    bfloat16 weight is often smaller than its last bit. `checkpointing`: use
    transformers' gradient checkpointing.
    Raises: ModelError if the base has no such modules or layers.
    """
    import peft
    import torch

    first = adapter.freeze_layers
    check_freezable(base, first)
    config = peft.LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=adapter.target_modules,
        # Not `layers_to_transform`, which PEFT refuses together with all-linear.
        exclude_modules=first_layers_pattern(first) if first else None,
        use_rslora=adapter.rslora,
        use_dora=adapter.dora,
        task_type="CAUSAL_LM",
    )
    if checkpointing:
        base.activation_checkpointing_enable({"use_reentrant": False})
        base.enable_input_require_grads()
    torch.manual_seed(train.seed)
    try:
        with warnings.catch_warnings():
            # PEFT 0.21 uses an attribute that transformers 5.23 deprecates.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`")
            return peft.get_peft_model(base, config)
    except ValueError as error:
        raise ModelError(
            f"adapter.target_modules={adapter.target_modules}",
            str(error).splitlines()[0],
            expected="names of linear layers of this base, or all-linear",
            fix="correct it in configs/adapter",
        ) from error


def check_targets(model: Any, adapter: LoraConfig) -> None:
    """Check that each linear layer that the configuration names has an adapter.

    Args:
        model: returned by `attach_adapter`.
    Raises: ModelError if a layer has none.
    """
    import torch

    base, kinds = model.get_base_model(), torch.nn.Linear
    skipped = adapter.freeze_layers and re.compile(
        first_layers_pattern(adapter.freeze_layers)
    )
    missing = [
        name
        for name, module in base.named_modules()
        if (isinstance(module, kinds) or type(module).__name__ == "Conv1D")
        and "lora_" not in name
        and not name.endswith(".base_layer")
        and module is not base.get_output_embeddings()
        and (
            adapter.target_modules == "all-linear"
            or any(f".{name}".endswith(f".{t}") for t in adapter.target_modules)
        )
        and not (skipped and skipped.fullmatch(f"{name}.weight"))
    ]
    if missing:
        raise ModelError(
            f"adapter.target_modules={adapter.target_modules}",
            f"{', '.join(missing[:3])} of the base has no adapter",
            expected="an adapter on each linear layer that is named",
            fix="this is a bug in graft: please report it with the base and the "
            "version of peft",
        )


def save_adapter(model: Any, out: Path, facts: Mapping[str, Any]) -> None:
    """Write the adapter without the base, and its record, as one atomic folder."""
    with atomic_weights(out) as partial:
        model.save_pretrained(partial)
        io.remove(partial / "README.md")  # PEFT's; evaluate writes the model card
        io.write_json(partial / RECORD, facts)


def load_adapter(base: Any, folder: Path) -> Any:
    """A PEFT model for inference: the base with a trained adapter.

    Raises: ModelError if the folder has no adapter, or one of another base.
    """
    from peft import PeftModel

    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(
            str(folder),
            "no adapter here",
            expected="adapter_config.json and adapter_model.safetensors",
            fix="run the pipeline: dvc repro train; or download it: dvc pull",
        )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`")
            model = PeftModel.from_pretrained(base, folder)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            str(folder),
            f"the adapter does not fit this base: {str(error).splitlines()[0]}",
            expected="the base that graft.json names",
            fix="set model to that base, or train again",
        ) from error
    return model.eval()
