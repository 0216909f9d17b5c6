"""Folders for other programs: what an adapter may say there, and whether there is
room."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graft import io
from graft.config import ModelConfig
from graft.errors import ConfigError, HardwareError, ModelError, StorageError
from graft.hardware.device import BYTES_PER_PARAMETER
from graft.hardware.machine import available_gib
from graft.models.files import model_folder, read_shape

ADAPTER, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
GENERATION = "generation_config.json"
SAID = (
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
"""What is told of an adapter, beside its base and modules. PEFT writes far more, and
its versions before 0.14 refuse what they do not know."""
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What --max-lora-rank may be. Source: vllm/config/lora.py, version 0.26."""
_SPARE = 64 * 2**20
"""Bytes, for a tokenizer and the rest."""


def check_target(out: Path, needed: int) -> None:
    """Raises: ConfigError if there is something at `out`; StorageError if the disk has
    no room for so many bytes beside it."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ConfigError(
            f"--to {out}",
            "is there already",
            expected="a new folder, or an empty one",
            fix="choose another name, or remove this one first",
        )
    place = next(folder for folder in out.absolute().parents if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < needed + _SPARE:
        raise StorageError(
            str(place),
            f"{free / 2**30:.1f} GiB are free, the model takes "
            f"{(needed + _SPARE) / 2**30:.1f} GiB",
            expected="room for the whole model",
            fix="free some space (`dvc gc -w` removes unused cache), or choose another "
            "disk by --to",
        )


def num_bytes(model: ModelConfig) -> int:
    """Size of a model's weights in its own type."""
    return int(model.num_parameters * BYTES_PER_PARAMETER[model.dtype])


def choose_place(wanted: str, model: ModelConfig) -> str:
    """Where an unquantized model is held: `cpu` or `cuda`.

    `auto` takes a GPU that has the room, else the CPU: that is slow, but enough for
    the few texts that are compared.
    Raises: ConfigError for another word; HardwareError if it is not there or too small.
    """
    import torch

    if wanted not in ("auto", "cpu", "cuda"):
        raise ConfigError(
            f"--device {wanted}",
            "not a device that is known",
            expected="auto, cpu or cuda",
            fix="leave it out: auto takes a GPU that has the room",
        )
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
                fix="leave it out: a merge runs on a CPU too",
            )
        raise _too_small("the GPU", there, needed)
    needed *= 2 if model.dtype == "float16" else 1  # held in float32 there
    if (here := int(available_gib() * 2**30)) < needed:
        raise _too_small("this machine", here, needed)
    return "cpu"


def _too_small(what: str, there: int, needed: int) -> HardwareError:
    return HardwareError(
        what,
        f"{there / 2**30:.1f} GiB of memory are free, the unquantized model takes "
        f"{needed / 2**30:.1f}",
        expected="memory for one copy of the base as it is stored",
        fix="merge on a larger machine, or export the adapter without --merge",
    )


def write_adapter(
    adapter: Path, base_path: str, revision: str, out: Path
) -> Mapping[str, Any]:
    """Copy an adapter's weights, float32 as they were trained, and say of it what other
    programs read.

    Args:
        adapter: the folder of `save_adapter`.
        base_path: of its base: a folder or a hub id.
        revision: the base's; a folder has none that others know.
        out: a folder that is there.
    Returns: adapter_config.json as written.
    """
    if not (adapter / WEIGHTS).is_file():
        raise ModelError(
            str(adapter),
            "no adapter here",
            expected=f"{ADAPTER} and {WEIGHTS}",
            fix="run the line: dvc repro train; or get it: dvc pull",
        )
    values = io.read_json(adapter / ADAPTER)
    said = {name: values[name] for name in SAID if name in values}
    said["lora_alpha"] = to_integer(said["lora_alpha"])
    modules = values["target_modules"]
    said["target_modules"] = modules if isinstance(modules, str) else sorted(modules)
    if values.get("exclude_modules"):  # frozen layers; PEFT 0.14 or later
        said["exclude_modules"] = values["exclude_modules"]
    said["base_model_name_or_path"] = base_path
    said["revision"] = revision if len(revision) == 40 else None
    io.write_json(out / ADAPTER, said)
    shutil.copyfile(adapter / WEIGHTS, out / WEIGHTS)
    return said


def write_full_model(
    trained: Path, model: ModelConfig, out: Path, changes: Mapping[str, Any]
) -> None:
    """Copy the weights of a model that was trained whole, and write its configuration.

    Args:
        trained: the folder of `save_full_model`.
        model, changes: as of `write_configs`.
        out: a folder that is there.
    """
    for file in trained.glob("model*.safetensors*"):
        shutil.copyfile(file, out / file.name)
    write_configs(model, read_shape(model), out, changes)


def write_configs(
    model: ModelConfig, values: Mapping[str, Any], out: Path, changes: Mapping[str, Any]
) -> None:
    """Write the base's own config.json and generation_config.json for new weights.

    What transformers would write of them has names that earlier versions do not read.

    Args:
        model: the base.
        values: its config.json.
        changes: of generation_config.json: the tokens that end and fill.
    """
    named = "torch_dtype" if "torch_dtype" in values else "dtype"
    io.write_json(out / "config.json", {**values, named: model.dtype})
    own = model_folder(model.path, model.revision, [GENERATION]) / GENERATION
    known = io.read_json(own) if own.is_file() else {}
    io.write_json(out / GENERATION, {**known, **changes})


def to_integer(number: float) -> float:
    """The integer, where it is one: some readers take no other."""
    return int(number) if number == int(number) else number


def vllm_rank(rank: int) -> int | None:
    """The --max-lora-rank that an adapter needs; None if it is past all of them."""
    return next((allowed for allowed in VLLM_RANKS if allowed >= rank), None)


def size_of(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
