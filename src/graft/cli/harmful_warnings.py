"""Warnings of libraries that mean wrong results: errors in a stage.

A library warns where it goes on; what it goes on with may be worthless. Each rule says
why. All other warnings are shown once.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from graft.errors import GraftError

LIBRARIES = ("transformers", "peft", "bitsandbytes", "accelerate", "torch")
"""Whose log records are read, too."""


class HarmfulWarning(GraftError):
    """A library has warned of what makes results wrong."""


@dataclass(frozen=True)
class Rule:
    """A warning that stops a stage.

    Attributes:
        text: a part of the warning, as the library writes it.
        why: what goes wrong where the warning is passed over.
    """

    text: str
    why: str


RULES = (
    Rule(
        "an autograd kernel was not registered",
        "nothing flows back through an operation, and weights before it are not "
        "trained (torch; bitsandbytes' 4-bit form for inference on a CPU)",
    ),
    Rule(
        "None of the inputs have requires_grad=True",
        "a layer that is computed again passes no gradient back (torch)",
    ),
    Rule(
        "that is different to the input size",
        "a loss compares values that do not belong together (torch)",
    ),
    Rule(
        "discards the imaginary part",
        "a part of each number is dropped (numpy, torch)",
    ),
    Rule("overflow encountered in cast", "a number becomes infinite (numpy)"),
    Rule("invalid value encountered in cast", "NaN becomes some integer (numpy)"),
    Rule(
        "newly initialized because missing from the checkpoint",
        "weights of the model are random (transformers)",
    ),
    Rule(
        "Found missing adapter keys while loading the checkpoint",
        "a part of the adapter is not there, and zero (peft)",
    ),
    Rule(
        "This will lead to having multiple adapters",
        "an adapter is put on top of another one (peft)",
    ),
    Rule(
        "Merge lora module to 4-bit linear may get different generations",
        "what was learned is lost in rounding to 4 bits (peft)",
    ),
    Rule(
        "This will lead to incorrect tokenization",
        "text becomes other tokens than those the model was trained with "
        "(transformers)",
    ),
    Rule(
        "right-padding was detected",
        "completions go on from padding (transformers)",
    ),
    Rule(
        "The attention mask and the pad token id were not set",
        "padding is read as text (transformers)",
    ),
)


def harm_of(message: str) -> HarmfulWarning | None:
    """The error that a warning is; None where it is harmless."""
    for rule in RULES:
        if rule.text in message:
            return HarmfulWarning(
                "a library's warning",
                " ".join(message.split())[:400],
                expected=f"no such warning: {rule.why}",
                fix="look for its cause in the model, the data or the versions of the "
                "libraries; if the configuration did not ask for it, it is a fault of "
                "graft: please report it",
            )
    return None


class _Guard(logging.Handler):
    """Raises for harmful records, and lets the library's own handlers show others
    once."""

    def __init__(self, owner: logging.Logger) -> None:
        super().__init__(logging.WARNING)
        self._owner, self._once = owner, _Once()

    def emit(self, record: logging.LogRecord) -> None:
        """Called first: it is there before the library is imported."""
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
        """Of warnings and errors; others pass."""
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
