"""The checks, each of which raises what the user has to mend.

A check refuses only what would surely fail later. What it cannot decide here, such as
memory for texts whose lengths nobody knows yet, the stages decide.
"""

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from graft import tracking
from graft.config import (
    AdapterConfig,
    DataConfig,
    EvaluateConfig,
    ModelConfig,
    QuantizationConfig,
    RegistryConfig,
    SplitConfig,
    TokenizeConfig,
    TrainConfig,
)
from graft.errors import ConfigError, GraftError, HardwareError, StorageError
from graft.hardware.device import decide_device
from graft.models.files import check_revision
from graft.planning.choice import find_fit, needed_gib
from graft.planning.memory import GIB, trained_parameters
from graft.planning.setup import BatchShape, Setup, to_setup
from graft.planning.shapes import FAMILIES
from graft.preflight.hub import Hub
from graft.preflight.machine import Machine

_DATA_COPIES = 2
"""Of the raw data's size: four stages leave about half of it each. Without DVC's cache,
which may share blocks with the workspace."""
_QUICKLY_READ = 2**34
"""Bytes of a model that are read within seconds."""
_STATE_BYTES = 12
"""Of a checkpoint for each trained weight: itself and the optimizer's two states."""


@dataclasses.dataclass(frozen=True)
class Asked:
    """The sections of the configuration that decide whether a run can end well."""

    adapter: AdapterConfig
    data: DataConfig
    evaluate: EvaluateConfig
    model: ModelConfig
    quantization: QuantizationConfig
    registry: RegistryConfig
    split: SplitConfig
    tokenize: TokenizeConfig
    train: TrainConfig


Check = Callable[[Asked, Machine, Hub], None]


def refuse(
    asked: Asked, machine: Machine, hub: Hub, rounds: Sequence[Sequence[Check]]
) -> None:
    """Raise the last fault of the first round that finds any; others are printed."""
    for checks in rounds:
        faults: list[GraftError] = []
        for check in checks:
            try:
                check(asked, machine, hub)
            except GraftError as error:
                faults.append(error)
        for fault in faults[:-1]:
            print(f"error: {fault}", file=sys.stderr)
        if faults:
            raise faults[-1]


def check_splits(asked: Asked, _machine: Machine, _hub: Hub) -> None:
    """Without validation nobody sees when to stop; without test nothing is scored."""
    data = asked.data
    for name in ("validation", "test"):
        share = getattr(asked.split, name)
        if not share and name not in data.files and data.split is None:
            raise ConfigError(
                f"split.{name}={share}",
                f"the split would be empty: data.files of {data.name} has no {name} "
                "entry either",
                expected="rows in train, validation and test",
                fix=f"set split.{name}=0.05, or add its files as data.files.{name}",
            )


def check_device(asked: Asked, machine: Machine, _hub: Hub) -> None:
    """As many GPUs as there are processes, and each that holds the weights."""
    for wanted in dict.fromkeys((asked.train.device, asked.evaluate.device)):
        _decide(asked, machine, wanted)
    count, there = asked.train.num_processes, len(machine.gpus)
    if count > max(there, 1) and _decide(asked, machine, asked.train.device) == "cuda":
        raise HardwareError(
            f"train.num_processes={count}",
            f"there {'is 1 GPU' if there == 1 else f'are {there} GPUs'} here",
            expected="a GPU for each process",
            fix=f"set train.num_processes={max(there, 1)}",
        )


def check_memory(asked: Asked, machine: Machine, hub: Hub) -> None:
    """The estimate of `graft plan`, with the shortest texts there may be; on a CPU of
    host memory."""
    train = asked.train
    setup = _setup(asked, hub)
    if setup is None:
        return
    length = asked.tokenize.max_seq_len if train.packing else 1
    batch = BatchShape(train.micro_batch_size * length, 0, 1.0)
    host = machine.host_gib / train.num_processes
    if _decide(asked, machine, train.device) == "cuda":
        name, larger = machine.gpus[0].name, "a larger GPU"
        free = min(gpu.free_gib for gpu in machine.gpus[: train.num_processes])
    else:
        name, larger = "host memory (RAM)", "a machine with more memory"
        setup, free = dataclasses.replace(setup, fused=False), host
    fit = find_fit(setup, batch, free, host)
    if fit and not fit.changes:
        return
    least = needed_gib(fit.setup, fit.batch) if fit else None
    raise HardwareError(
        name,
        f"training does not fit: {free:.1f} GiB are free"
        + (f"; {least:.1f} GiB suffice with other settings" if least else ""),
        expected="enough memory for the base, the adapter and a micro-batch: graft plan",
        fix=(
            f"set {fit}"
            if fit
            else "take a smaller model, a lower tokenize.max_seq_len, "
            f"quantization=nf4, or {larger}"
        ),
    )


def check_model(asked: Asked, _machine: Machine, hub: Hub) -> None:
    """The model's files are here and what `revision` names, or the hub gives them to
    this machine. Large ones are read once only, by train."""
    hub.read_config(asked.model)
    hub.missing_bytes(asked.model)
    folder = Path(asked.model.path)
    if folder.is_dir() and _size(folder) < _QUICKLY_READ:
        check_revision(asked.model)


def check_data(asked: Asked, _machine: Machine, hub: Hub) -> None:
    """The hub gives the data set. Files are DVC's dependency: it looks for them."""
    data = asked.data
    if data.format == "hub" and data.hub_id and data.revision:
        hub.check_dataset(data.hub_id, data.revision)


def check_tracking(asked: Asked, _machine: Machine, _hub: Hub) -> None:
    """The tracking store takes runs of this user, or is only away for now."""
    tracking.check_store(asked.registry)


def check_disk(asked: Asked, machine: Machine, hub: Hub) -> None:
    """Room for the download, what the data stages write, and checkpoints."""
    setup, download = _setup(asked, hub), hub.missing_bytes(asked.model) / GIB
    writes = _DATA_COPIES * _size(asked.data.root) / GIB
    if setup:
        kept = asked.train.checkpoints_kept + 1  # one more while it is written
        writes += kept * _STATE_BYTES * trained_parameters(setup) / GIB
    places = [("the hub's cache", download, machine.hub_cache_gib)]
    places.append(("this repository's disk", writes, machine.disk_gib))
    if machine.one_disk:
        places = [("this machine's disk", download + writes, machine.disk_gib)]
    for name, needed, free in places:
        if needed > free:
            raise StorageError(
                name,
                f"the run writes about {needed:.1f} GiB, and {free:.1f} are free",
                expected=f"model {download:.1f} GiB, data and checkpoints "
                f"{writes:.1f} GiB",
                fix="free some, lower train.checkpoints_kept, or move the caches: "
                "HF_HOME, dvc cache dir",
            )


def _decide(asked: Asked, machine: Machine, wanted: str) -> str:
    gpu = machine.gpus[0] if machine.gpus else None
    return decide_device(wanted, asked.model, asked.quantization, gpu)


def _setup(asked: Asked, hub: Hub) -> Setup | None:
    """What is planned; None of a base whose memory nobody has measured."""
    values = hub.read_config(asked.model)
    if values.get("model_type") not in FAMILIES:
        return None
    sections = (asked.adapter, asked.quantization, asked.train)
    return to_setup(values, asked.model.path, asked.model.dtype, sections)[0]


def _size(root: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if root.is_file():
        return root.stat().st_size
    return sum(
        os.stat(os.path.join(folder, name)).st_size
        for folder, _, names in os.walk(root)
        for name in names
    )


CHECKS: tuple[tuple[Check, ...], ...] = (
    (check_splits, check_device),
    (check_model, check_data, check_tracking),
    (check_memory, check_disk),
)
"""All of them, in rounds: what is known at once, who has to be asked over a network,
and what follows from the answers. A new one is a function more in a round."""
