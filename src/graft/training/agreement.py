"""Checks that all processes of a training have the same code, settings and data.

With different ones, some of them, on other machines, would silently train something
else, or wait for each other for ever.
"""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import torch

import graft
from graft import io
from graft.config import Section
from graft.errors import ConfigError
from graft.training.parallel import DataParallelGroup

_LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes")


def describe_process(sections: Mapping[str, Section]) -> dict[str, str]:
    """What must be equal in all processes: parameters, versions of the code, and number
    and kind of the GPUs of a machine."""
    facts = {
        f"{name}.{key}": str(value)
        for name, section in sections.items()
        for key, value in section.model_dump(mode="json").items()
    }
    count = torch.cuda.device_count()
    return facts | {
        "graft's code": io.digest_files(Path(graft.__file__).parent, ["**/*.py"]),
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
        "processes on a machine": os.environ.get("LOCAL_WORLD_SIZE", "1"),
        "GPUs": str(sorted(torch.cuda.get_device_name(gpu) for gpu in range(count))),
    }


def require_equal(group: DataParallelGroup, facts: Mapping[str, str]) -> None:
    """Compare the facts of all processes by name.

    Raises: ConfigError, in all of them, with each value that differs and where.
    """
    if group.size == 1:
        return
    gathered = group.gather((platform.node(), dict(facts)))
    found = [one for _, one in gathered]
    names = dict.fromkeys(name for one in found for name in one)
    lines = []
    for name in names:
        ranks: dict[str, list[int]] = {}
        for rank, one in enumerate(found):
            ranks.setdefault(one.get(name, "missing"), []).append(rank)
        if len(ranks) > 1:
            values = (f"{v} on {_shown(of)}" for v, of in ranks.items())
            lines.append(f"\n  - {name}: {'; '.join(values)}")
    if lines:
        hosts = ", ".join(f"{rank} {host}" for rank, (host, _) in enumerate(gathered))
        raise ConfigError(
            "train",
            f"the processes differ{''.join(lines)}",
            expected=f"the same on all machines (processes and machines: {hosts})",
            fix="check out the same commit on all machines, install the same lock "
            "file, and dvc pull or dvc repro split there",
        )


def _shown(ranks: list[int]) -> str:
    return f"process{'es' * (len(ranks) > 1)} {', '.join(map(str, ranks))}"
