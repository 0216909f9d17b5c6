"""Turns library warnings that indicate wrong results into errors.

A library continues after a warning, although its results may be wrong. Each rule below
gives the reason why its warning is an error. All other warnings are shown once.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from graft.errors import GraftError

LIBRARIES = ("transformers", "peft", "bitsandbytes", "accelerate", "torch")
"""Libraries whose log records are checked in addition to Python warnings."""


class HarmfulWarning(GraftError):
    """A library warning that indicates wrong results."""


HARMS = {
    "an autograd kernel was not registered": (
        "an operation passes no gradient back, so weights before it are not trained "
        "(torch; bitsandbytes' 4-bit format for inference on a CPU)"
    ),
    "None of the inputs have requires_grad=True": (
        "a recomputed layer passes no gradient back (torch)"
    ),
    "that is different to the input size": (
        "a loss broadcasts tensors of different shapes (torch)"
    ),
    "discards the imaginary part": (
        "the imaginary part of each number is dropped (numpy, torch)"
    ),
    "overflow encountered in cast": "a number becomes infinite (numpy)",
    "invalid value encountered in cast": "NaN becomes an arbitrary integer (numpy)",
    "newly initialized because missing from the checkpoint": (
        "some weights of the model are random (transformers)"
    ),
    "Found missing adapter keys while loading the checkpoint": (
        "the missing part of the adapter has no effect (peft)"
    ),
    "This will lead to having multiple adapters": (
        "an adapter is added on top of another one (peft)"
    ),
    "Merge lora module to 4-bit linear may get different generations": (
        "rounding to 4 bits loses the trained change (peft)"
    ),
    "This will lead to incorrect tokenization": (
        "tokens differ from those of training (transformers)"
    ),
    "right-padding was detected": "completions continue after padding (transformers)",
    "The attention mask and the pad token id were not set": (
        "padding is read as text (transformers)"
    ),
}
"""A part of a library's warning → what goes wrong if the warning is ignored."""


def harm_of(message: str) -> HarmfulWarning | None:
    """The error for a harmful warning; None for any other message."""
    for text, harm in HARMS.items():
        if text in message:
            return HarmfulWarning(
                "a library's warning",
                " ".join(message.split())[:400],
                expected=f"no such warning: {harm}",
                fix="look for the cause in the model, the data, the configuration and "
                "the versions of libraries; otherwise, report it as a bug of graft",
            )
    return None


class _Guard(logging.Handler):
    """Raises an error for a harmful log record; other records are shown once."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logging.WARNING)
        self._logger, self._once = logger, _Once()

    def emit(self, record: logging.LogRecord) -> None:
        """Check a record before other handlers, which the library adds later."""
        if (harm := harm_of(record.getMessage())) is not None:
            raise harm
        for handler in self._logger.handlers:
            if handler is not self and self._once not in handler.filters:
                handler.addFilter(self._once)


class _Once(logging.Filter):
    """Passes each warning only once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[str, str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record passes: below warning level always, otherwise once."""
        key = (record.name, record.getMessage())
        is_new = record.levelno < logging.WARNING or key not in self._seen
        self._seen.add(key)
        return is_new


@contextmanager
def harmful_warnings_raised() -> Iterator[None]:
    """Within the block, raise harmful Python warnings and log records as errors.

    Raises: HarmfulWarning.
    """
    guards = []
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        guard = _Guard(logger)
        logger.handlers.insert(0, guard)
        guards.append((logger, guard))
    try:
        with warnings.catch_warnings():
            for kind in (UserWarning, RuntimeWarning, FutureWarning):
                warnings.filterwarnings("once", category=kind)
            for text in HARMS:
                warnings.filterwarnings("error", f"(?s).*{re.escape(text)}")
            yield
    except Warning as warning:
        if (harm := harm_of(str(warning))) is None:
            raise
        raise harm from warning
    finally:
        for logger, guard in guards:
            logger.removeHandler(guard)
