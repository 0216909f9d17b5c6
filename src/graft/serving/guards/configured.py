"""The guards of the configuration."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

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


def _to_guard(config: GuardConfig) -> Callable[[], Guard]:
    if isinstance(config, PersonalDataGuard):
        return partial(PersonalData, recogniser(config.regions))
    if isinstance(config, BlockListGuard):
        return partial(BlockList, read_phrases(Path(config.file)))
    return partial(MaxChars, config.limit)
