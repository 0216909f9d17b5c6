"""The checks, each of which raises an error that the user has to fix.

A check fails only if the run is certain to fail. What is still unknown, such as memory
for texts of unknown length, is left to the stages.
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
    GenerationConfig,
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
"""Output of the data stages, relative to the raw data: four stages write about half of
it each. DVC's cache is not counted, as it may share blocks with the workspace."""
_QUICKLY_READ = 2**34
"""Bytes of a model that can be read within seconds."""
_STATE_BYTES = 12
"""Bytes of a checkpoint per trained weight: the weight and two optimizer states."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """The sections of the configuration that the checks need."""

    adapter: AdapterConfig
    data: DataConfig
    generation: GenerationConfig
    model: ModelConfig
    quantization: QuantizationConfig
    registry: RegistryConfig
    split: SplitConfig
    tokenize: TokenizeConfig
    train: TrainConfig


Check = Callable[[RunConfig, Machine, Hub], None]


def run_checks(
    config: RunConfig, machine: Machine, hub: Hub, rounds: Sequence[Sequence[Check]]
) -> None:
    """Raise the last error of the first round that finds any, and print the others."""
    for checks in rounds:
        errors: list[GraftError] = []
        for check in checks:
            try:
                check(config, machine, hub)
            except GraftError as error:
                errors.append(error)
        for failed in errors[:-1]:
            print(f"error: {failed}", file=sys.stderr)
        if errors:
            raise errors[-1]


def check_splits(config: RunConfig, _machine: Machine, _hub: Hub) -> None:
    """Check that the validation and test splits will not be empty."""
    data = config.data
    for name in ("validation", "test"):
        share = getattr(config.split, name)
        if not share and name not in data.files and data.split is None:
            raise ConfigError(
                f"split.{name}={share}",
                f"the split would be empty: data.files of {data.name} has no {name} "
                "entry either",
                expected="rows in train, validation and test",
                fix=f"set split.{name}=0.05, or add its files as data.files.{name}",
            )


def check_device(config: RunConfig, machine: Machine, _hub: Hub) -> None:
    """Check that there is a GPU for each process, with memory for the weights."""
    for wanted in dict.fromkeys((config.train.device, config.generation.device)):
        _decide(config, machine, wanted)
    count, there = config.train.num_processes, len(machine.gpus)
    if (
        count > max(there, 1)
        and _decide(config, machine, config.train.device) == "cuda"
    ):
        raise HardwareError(
            f"train.num_processes={count}",
            f"there {'is 1 GPU' if there == 1 else f'are {there} GPUs'} here",
            expected="a GPU for each process",
            fix=f"set train.num_processes={max(there, 1)}",
        )


def check_memory(config: RunConfig, machine: Machine, hub: Hub) -> None:
    """Check `graft plan`'s memory estimate for the shortest possible texts, on a CPU
    against host memory."""
    train = config.train
    setup = _setup(config, hub)
    if setup is None:
        return
    length = config.tokenize.max_seq_len if train.packing else 1
    batch = BatchShape(train.micro_batch_size * length, 0, 1.0)
    host = machine.host_gib / train.num_processes
    if _decide(config, machine, train.device) == "cuda":
        name, larger = machine.gpus[0].name, "a larger GPU"
        free = min(gpu.free_gib for gpu in machine.gpus[: train.num_processes])
    else:
        name, larger = "host memory (RAM)", "a machine with more memory"
        setup, free = dataclasses.replace(setup, fused=False), host
    fit = find_fit(setup, batch, free, host)
    if fit and not fit.changes:
        return
    needed = needed_gib(fit.setup, fit.batch) if fit else None
    raise HardwareError(
        name,
        f"training does not fit: {free:.1f} GiB are free"
        + (f"; {needed:.1f} GiB suffice with other settings" if needed else ""),
        expected="memory for the base, the adapter and a micro-batch: graft plan",
        fix=(
            f"set {fit}"
            if fit
            else "take a smaller model, a lower tokenize.max_seq_len, "
            f"quantization=nf4, or {larger}"
        ),
    )


def check_model(config: RunConfig, _machine: Machine, hub: Hub) -> None:
    """Check that the model's files are present and match `revision`, or can be
    downloaded. Digests of large files are left to train."""
    hub.read_config(config.model)
    hub.missing_bytes(config.model)
    folder = Path(config.model.path)
    if folder.is_dir() and _size(folder) < _QUICKLY_READ:
        check_revision(config.model)


def check_data(config: RunConfig, _machine: Machine, hub: Hub) -> None:
    """Check access to a data set on the Hub. Local files are checked by DVC."""
    data = config.data
    if data.format == "hub" and data.hub_id and data.revision:
        hub.check_dataset(data.hub_id, data.revision)


def check_tracking(config: RunConfig, _machine: Machine, _hub: Hub) -> None:
    """Check that the tracking store accepts runs, unless it is unreachable for now."""
    tracking.check_store(config.registry)


def check_disk(config: RunConfig, machine: Machine, hub: Hub) -> None:
    """Check the disk space for the download, the data stages and checkpoints."""
    setup, download = _setup(config, hub), hub.missing_bytes(config.model) / GIB
    writes = _DATA_COPIES * _size(config.data.root) / GIB
    if setup:
        kept = config.train.checkpoints_kept + 1  # one more while it is written
        writes += kept * _STATE_BYTES * trained_parameters(setup) / GIB
    places = [("the Hub cache", download, machine.hub_cache_gib)]
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
                fix="free disk space, lower train.checkpoints_kept, or move the "
                "caches: HF_HOME, dvc cache dir",
            )


def _decide(config: RunConfig, machine: Machine, wanted: str) -> str:
    gpu = machine.gpus[0] if machine.gpus else None
    return decide_device(wanted, config.model, config.quantization, gpu)


def _setup(config: RunConfig, hub: Hub) -> Setup | None:
    """The setup to plan; None for a family without a memory estimate."""
    values = hub.read_config(config.model)
    if values.get("model_type") not in FAMILIES:
        return None
    sections = (config.adapter, config.quantization, config.train)
    return to_setup(values, config.model.path, config.model.dtype, sections)[0]


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
"""All checks, in rounds: local ones, those that need a network, and those that depend
on the results. To add a check, add a function to a round."""
