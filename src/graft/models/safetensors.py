"""Parameter counts and dtypes of a model folder, read from safetensors headers."""

import json
import math
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.errors import ModelError
from graft.io import read_json

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
"""The file names that transformers reads; it ignores other safetensors files."""
DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
_MAX_HEADER = 100_000_000
"""Bytes; the limit of the format."""


@dataclass(frozen=True)
class Weights:
    """Number of parameters by dtype, in the names of the format: F32, BF16…"""

    parameters: Mapping[str, int]

    @property
    def total(self) -> int:
        """Number of all parameters."""
        return sum(self.parameters.values())

    @property
    def dtype(self) -> str | None:
        """The dtype of most parameters; None if a model cannot be loaded in it."""
        most = max(self.parameters, key=lambda kind: self.parameters[kind])
        return DTYPES.get(most)


def read_weights(folder: Path, *, tied: bool) -> Weights:
    """Count a folder's parameters.

    Args:
        folder: a model in Hub format.
        tied: whether the output layer is the input embedding; it is counted once.
    Raises: ModelError if there are no safetensors, or not all, or one is broken.
    """
    parameters: Counter[str] = Counter()
    for file in weight_files(folder):
        for name, tensor in read_header(file).items():
            # Old checkpoints contain RoPE's frequencies, which are not parameters.
            if name.endswith(".inv_freq") or (tied and name == "lm_head.weight"):
                continue
            parameters[tensor["dtype"]] += math.prod(tensor["shape"])
    if not parameters:
        raise _unusable(str(folder), "its safetensors contain no weights")
    return Weights(parameters)


def weight_files(folder: Path) -> list[Path]:
    """The files that transformers reads. Raises: ModelError if one is missing."""
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / INDEX).is_file():
        index = read_json(folder / INDEX)
        names = sorted(set(index.get("weight_map", {}).values()))
        for name in names:
            if not (folder / name).is_file():
                raise _unusable(
                    str(folder / name), f"no such file, but {INDEX} lists it"
                )
        return [folder / name for name in names]
    others = sorted(file.name for file in folder.glob("*.safetensors"))
    if others:
        raise _unusable(
            str(folder),
            f"transformers does not read files named {', '.join(others[:3])}",
            fix=f"rename a single file to {SINGLE}",
        )
    pickles = sorted(file.name for file in folder.glob("*.bin"))
    if pickles := pickles + sorted(file.name for file in folder.glob("*.pt*")):
        raise _unusable(
            str(folder),
            f"its weights are pickles ({', '.join(pickles[:3])}), which can run code",
            fix="if you trust their source, convert them once with transformers: "
            "AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(FOLDER)",
        )
    raise _unusable(str(folder), "has no weights")


def read_header(file: Path) -> dict[str, Any]:
    """Name → dtype, shape and offsets of each tensor of a safetensors file.

    Raises: ModelError if it is not a safetensors file, or is truncated.
    Source: https://huggingface.co/docs/safetensors
    """
    with file.open("rb") as stream:
        start = stream.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else _MAX_HEADER + 1
        text = stream.read(size) if size <= _MAX_HEADER else b""
    try:
        header: dict[str, Any] = json.loads(text)
        header.pop("__metadata__", None)
        ends = [tensor["data_offsets"][1] for tensor in header.values()]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unusable(str(file), "not a safetensors file") from error
    if file.stat().st_size != 8 + size + max(ends, default=0):
        raise _unusable(str(file), "its size does not match its header")
    return header


def _unusable(
    where: str, problem: str, fix: str = "download the model again"
) -> ModelError:
    return ModelError(
        where, problem, expected=f"{SINGLE}, or {INDEX} and its shards", fix=fix
    )
