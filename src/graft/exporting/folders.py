"""Export folders: checks of disk and memory, and files that other programs read."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from graft import io
from graft.config import ModelConfig
from graft.errors import ConfigError, HardwareError, ModelError, StorageError
from graft.hardware.device import BYTES_PER_PARAMETER
from graft.hardware.machine import available_gib
from graft.models.files import model_folder, read_shape

ADAPTER, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
GENERATION = "generation_config.json"
EXPORTED_KEYS = (
    "peft_type",
    "task_type",
    "r",
    "lora_alpha",
    "lora_dropout",
    "bias",
    "fan_in_fan_out",
    "inference_mode",
    "init_lora_weights",
    "modules_to_save",
    "use_rslora",
    "use_dora",
)
"""Exported keys of adapter_config.json, besides base and modules. PEFT writes more, but
its versions before 0.14 reject unknown keys."""
_SPARE = 64 * 2**20
"""Bytes for the tokenizer and other small files."""


def check_target(out: Path, needed: int) -> None:
    """Raises: ConfigError if `out` exists and is not empty; StorageError if its disk
    has less than `needed` bytes free."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ConfigError(
            f"--to {out}",
            "exists already",
            expected="a new folder, or an empty one",
            fix="choose another name, or remove this one first",
        )
    place = next(folder for folder in out.absolute().parents if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < needed + _SPARE:
        raise StorageError(
            str(place),
            f"{free / 2**30:.1f} GiB are free, the model needs "
            f"{(needed + _SPARE) / 2**30:.1f} GiB",
            expected="disk space for the whole model",
            fix="free disk space (`dvc gc -w` removes unused cache), or choose another "
            "disk with --to",
        )


def num_bytes(model: ModelConfig) -> int:
    """Size of a model's weights in its own dtype."""
    return int(model.num_parameters * BYTES_PER_PARAMETER[model.dtype])


def choose_place(wanted: Literal["auto", "cpu", "cuda"], model: ModelConfig) -> str:
    """The device for an unquantized model: `cpu` or `cuda`.

    `auto` is a GPU with enough memory, else the CPU, which is slow but sufficient for
    the few texts that are compared.
    Raises: HardwareError if the device does not exist or has too little memory.
    """
    import torch

    needed = int(1.1 * num_bytes(model))  # with activations and logits
    there = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0
    if wanted != "cpu" and there >= needed:
        return "cuda"
    if wanted == "cuda":
        if not there:
            raise HardwareError(
                "--device cuda",
                "torch sees no CUDA GPU here",
                expected="an NVIDIA GPU, its driver, and torch's CUDA build",
                fix="omit it: a merge runs on a CPU too",
            )
        raise _too_small("the GPU", there, needed)
    needed *= 2 if model.dtype == "float16" else 1  # float32 on a CPU
    if (here := int(available_gib() * 2**30)) < needed:
        raise _too_small("this machine", here, needed)
    return "cpu"


def _too_small(what: str, there: int, needed: int) -> HardwareError:
    return HardwareError(
        what,
        f"{there / 2**30:.1f} GiB of memory are free, the unquantized model needs "
        f"{needed / 2**30:.1f}",
        expected="memory for one copy of the unquantized base",
        fix="merge on a larger machine, or export the adapter without --merge",
    )


def write_adapter(
    adapter: Path, base_path: str, revision: str, out: Path
) -> Mapping[str, Any]:
    """Copy an adapter's float32 weights, and write an adapter_config.json with the keys
    that other programs read.

    Args:
        adapter: the folder of `save_adapter`.
        base_path: of its base: a folder or a Hub id.
        revision: of the base; that of a folder is not exported.
        out: an existing folder.
    Returns: adapter_config.json as written.
    Raises: ModelError if there is no adapter.
    """
    if not (adapter / WEIGHTS).is_file():
        raise ModelError(
            str(adapter),
            "no adapter here",
            expected=f"{ADAPTER} and {WEIGHTS}",
            fix="run the pipeline: dvc repro train; or download it: dvc pull",
        )
    values = io.read_json(adapter / ADAPTER)
    found = {name: values[name] for name in EXPORTED_KEYS if name in values}
    found["lora_alpha"] = to_integer(found["lora_alpha"])
    modules = values["target_modules"]
    found["target_modules"] = modules if isinstance(modules, str) else sorted(modules)
    if values.get("exclude_modules"):  # frozen layers; PEFT 0.14 or later
        found["exclude_modules"] = values["exclude_modules"]
    found["base_model_name_or_path"] = base_path
    found["revision"] = revision if len(revision) == 40 else None
    io.write_json(out / ADAPTER, found)
    shutil.copyfile(adapter / WEIGHTS, out / WEIGHTS)
    return found


def write_full_model(
    trained: Path, model: ModelConfig, out: Path, changes: Mapping[str, Any]
) -> None:
    """Copy the weights of a fully fine-tuned model, and write its configuration.

    Args:
        trained: the folder of `save_full_model`.
        model, changes: as in `write_configs`.
        out: an existing folder.
    """
    for file in trained.glob("model*.safetensors*"):
        shutil.copyfile(file, out / file.name)
    write_configs(model, read_shape(model), out, changes)


def write_configs(
    model: ModelConfig, values: Mapping[str, Any], out: Path, changes: Mapping[str, Any]
) -> None:
    """Write the base's own config.json and generation_config.json for new weights.

    transformers would write them with names that its earlier versions do not read.

    Args:
        model: the base.
        values: its config.json.
        changes: of generation_config.json: EOS and padding tokens.
    """
    named = "torch_dtype" if "torch_dtype" in values else "dtype"
    io.write_json(out / "config.json", {**values, named: model.dtype})
    own = model_folder(model.path, model.revision, [GENERATION]) / GENERATION
    known = io.read_json(own) if own.is_file() else {}
    io.write_json(out / GENERATION, {**known, **changes})


def to_integer(number: float) -> float:
    """An int if the number is integral, as some programs accept no float."""
    return int(number) if number == int(number) else number


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
