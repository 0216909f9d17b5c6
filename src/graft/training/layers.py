"""Decoder layers by number, whatever a family calls them."""

from typing import Any

from graft.errors import ModelError


def first_layers_pattern(number: int) -> str:
    """Regular expression of the names of modules and weights of the first layers: the
    first number in a name is that of its layer."""
    layers = "|".join(map(str, range(number)))
    return rf"([^.\d][^.]*\.)+({layers})\..*"


def check_freezable(base: Any, number: int) -> None:
    """Raises: ModelError if nothing would be left to train."""
    layers = base.config.num_hidden_layers
    if number >= layers:
        raise ModelError(
            f"adapter.freeze_layers={number}",
            f"the base has {layers} layers, so nothing would be trained",
            expected=f"less than {layers}",
            fix="lower it in configs/adapter",
        )
