"""What a model folder's safetensors hold, from their headers alone."""

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
"""The names that transformers reads; other safetensors in the folder it does not."""
DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
_MOST_HEADER = 100_000_000
"""Bytes; the format's own limit."""


@dataclass(frozen=True)
class Weights:
    """Parameters by the type they are stored in, in the format's words: F32, BF16…"""

    parameters: Mapping[str, int]

    @property
    def total(self) -> int:
        """All parameters."""
        return sum(self.parameters.values())

    @property
    def dtype(self) -> str | None:
        """What most of them are stored in, if a model can be loaded in it."""
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
            # Old checkpoints keep RoPE's frequencies, which are not learned.
            if name.endswith(".inv_freq") or (tied and name == "lm_head.weight"):
                continue
            parameters[tensor["dtype"]] += math.prod(tensor["shape"])
    if not parameters:
        raise _fault(str(folder), "its safetensors hold no weights")
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
                raise _fault(str(folder / name), f"no such file, and {INDEX} names it")
        return [folder / name for name in names]
    others = sorted(file.name for file in folder.glob("*.safetensors"))
    if others:
        raise _fault(
            str(folder),
            f"{', '.join(others[:3])}: a name that transformers does not read",
            fix=f"rename a single file to {SINGLE}",
        )
    pickles = sorted(file.name for file in folder.glob("*.bin"))
    if pickles := pickles + sorted(file.name for file in folder.glob("*.pt*")):
        raise _fault(
            str(folder),
            f"its weights are pickles ({', '.join(pickles[:3])}), which can run code",
            fix="if you trust their source, convert them once with transformers: "
            "AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(FOLDER)",
        )
    raise _fault(str(folder), "no weights here")


def read_header(file: Path) -> dict[str, Any]:
    """Name → dtype, shape and place of each tensor of a safetensors file.

    Raises: ModelError if it is no such file, or is cut short.
    Source: https://huggingface.co/docs/safetensors
    """
    with file.open("rb") as stream:
        start = stream.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else _MOST_HEADER + 1
        text = stream.read(size) if size <= _MOST_HEADER else b""
    try:
        header: dict[str, Any] = json.loads(text)
        header.pop("__metadata__", None)
        ends = [tensor["data_offsets"][1] for tensor in header.values()]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _fault(str(file), "not a safetensors file") from error
    if file.stat().st_size != 8 + size + max(ends, default=0):
        raise _fault(str(file), "is cut short, or has more than its header says")
    return header


def _fault(
    where: str, problem: str, fix: str = "download the model again, whole"
) -> ModelError:
    return ModelError(
        where, problem, expected=f"{SINGLE}, or {INDEX} and its shards", fix=fix
    )
