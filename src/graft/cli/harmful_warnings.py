"""Turns library warnings that indicate wrong results into errors.

After a warning a library continues, perhaps with useless results. Each rule gives the
reason. All other warnings are shown once.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from graft.errors import GraftError

LIBRARIES = ("transformers", "peft", "bitsandbytes", "accelerate", "torch")
"""Libraries whose log records are checked, too."""


class HarmfulWarning(GraftError):
    """A library warning that indicates wrong results."""


@dataclass(frozen=True)
class WarningRule:
    """A warning that stops a stage.

    Attributes:
        text: a part of the library's warning.
        why: what goes wrong if the warning is ignored.
    """

    text: str
    why: str


RULES = (
    WarningRule(
        "an autograd kernel was not registered",
        "an operation passes no gradient back, so weights before it are not trained "
        "(torch; bitsandbytes' 4-bit format for inference on a CPU)",
    ),
    WarningRule(
        "None of the inputs have requires_grad=True",
        "a recomputed layer passes no gradient back (torch)",
    ),
    WarningRule(
        "that is different to the input size",
        "a loss broadcasts tensors of different shapes (torch)",
    ),
    WarningRule(
        "discards the imaginary part",
        "a part of each number is dropped (numpy, torch)",
    ),
    WarningRule("overflow encountered in cast", "a number becomes infinite (numpy)"),
    WarningRule(
        "invalid value encountered in cast", "NaN becomes some integer (numpy)"
    ),
    WarningRule(
        "newly initialized because missing from the checkpoint",
        "weights of the model are random (transformers)",
    ),
    WarningRule(
        "Found missing adapter keys while loading the checkpoint",
        "a part of the adapter is missing, and zero (peft)",
    ),
    WarningRule(
        "This will lead to having multiple adapters",
        "an adapter is added on top of another one (peft)",
    ),
    WarningRule(
        "Merge lora module to 4-bit linear may get different generations",
        "rounding to 4 bits loses the trained change (peft)",
    ),
    WarningRule(
        "This will lead to incorrect tokenization",
        "tokens differ from those of training (transformers)",
    ),
    WarningRule(
        "right-padding was detected",
        "completions continue after padding (transformers)",
    ),
    WarningRule(
        "The attention mask and the pad token id were not set",
        "padding is read as text (transformers)",
    ),
)


def harm_of(message: str) -> HarmfulWarning | None:
    """The error of a harmful warning; None for others."""
    for rule in RULES:
        if rule.text in message:
            return HarmfulWarning(
                "a library's warning",
                " ".join(message.split())[:400],
                expected=f"no such warning: {rule.why}",
                fix="look for its cause in the model, the data, the configuration or "
                "the libraries' versions; else it is a bug of graft: please report it",
            )
    return None


class _Guard(logging.Handler):
    """Raises for harmful records, and lets the library's handlers show others once."""

    def __init__(self, owner: logging.Logger) -> None:
        super().__init__(logging.WARNING)
        self._owner, self._once = owner, _Once()

    def emit(self, record: logging.LogRecord) -> None:
        """Called first, since it is added before the library is imported."""
        if (harm := harm_of(record.getMessage())) is not None:
            raise harm
        for handler in self._owner.handlers:
            if handler is not self and self._once not in handler.filters:
                handler.addFilter(self._once)


class _Once(logging.Filter):
    """Lets each warning pass once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[str, str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Filters warnings and errors; other records pass."""
        key = (record.name, record.getMessage())
        is_new = record.levelno < logging.WARNING or key not in self._seen
        self._seen.add(key)
        return is_new


@contextmanager
def harmful_warnings_raised() -> Iterator[None]:
    """Turn harmful warnings into errors in here, whether they are Python's or logged.

    Raises: HarmfulWarning.
    """
    guards = []
    for name in LIBRARIES:
        owner = logging.getLogger(name)
        guard = _Guard(owner)
        owner.handlers.insert(0, guard)
        guards.append((owner, guard))
    try:
        with warnings.catch_warnings():
            for kind in (UserWarning, RuntimeWarning, FutureWarning):
                warnings.filterwarnings("once", category=kind)
            for rule in RULES:
                warnings.filterwarnings("error", f"(?s).*{re.escape(rule.text)}")
            yield
    except Warning as warning:
        if (harm := harm_of(str(warning))) is None:
            raise
        raise harm from warning
    finally:
        for owner, guard in guards:
            owner.removeHandler(guard)
