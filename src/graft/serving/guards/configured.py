"""The guards of the configuration."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from graft.config.guards import BlockListGuard, GuardConfig, PersonalDataGuard
from graft.serving.guards.block_list import BlockList, read_phrases
from graft.serving.guards.guard import Guard, Guards
from graft.serving.guards.max_chars import MaxChars
from graft.serving.guards.personal_data import PersonalData, recogniser


def to_guards(configs: Sequence[GuardConfig]) -> Guards:
    """Guards in the configured order.

    Raises: ConfigError if a file or a region cannot be used.
    """
    return [_to_guard(config) for config in configs]


def describe_guards(configs: Sequence[GuardConfig]) -> str:
    """A text that changes whenever the guards of the configuration do.

    Raises: ConfigError if a file cannot be used.
    """
    described: list[dict[str, Any]] = []
    for config in configs:
        described.append(config.model_dump())
        if isinstance(config, BlockListGuard):
            pattern = read_phrases(Path(config.file)).pattern.pattern
            described[-1]["file"] = hashlib.sha256(pattern.encode()).hexdigest()
    return json.dumps(described)


def _to_guard(config: GuardConfig) -> Callable[[], Guard]:
    if isinstance(config, PersonalDataGuard):
        return partial(PersonalData, recogniser(config.regions))
    if isinstance(config, BlockListGuard):
        return partial(BlockList, read_phrases(Path(config.file)))
    return partial(MaxChars, config.limit)
