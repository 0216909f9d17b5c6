"""Selecting decoder layers by number, independent of their names in a family."""

from typing import Any

from graft.errors import ModelError


def first_layers_pattern(number: int) -> str:
    """A regular expression for names of modules and weights in the first layers. The
    first number in such a name is the layer's."""
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
