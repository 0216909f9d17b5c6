r"""Reasoned answers: is the result right, and does the answer have its form.

A result is what stands in the last \boxed{}, or else after the last ####, or else the
last number, of what follows the thinking. These are the conventions of Hendrycks et al.
2021 (MATH, arXiv:2103.03874) and Cobbe et al. 2021 (gsm8k, arXiv:2110.14168).
"""

import re
from fractions import Fraction

from graft.metrics.statistics import Array, Metric, Segments, averaged, percent

OPEN, CLOSE = "<think>", "</think>"
BOX, HASHES = r"\boxed{", "####"
NUMBER = re.compile(r"[-−]?(?:\d+(?:,\d{3})+|\d+)(?:\.\d+)?|[-−]?\.\d+")
VALUE = re.compile(r"-?(\d+(\.\d*)?|\.\d+|\d+/\d+)")
RATIO = re.compile(r"(-?)\\[dt]?frac\{(-?\d+)\}\{(-?\d+)\}")
DRESS = re.compile(
    r"\\[$%,!;: ]|\\text\{([^{}]*)\}|\\left|\\right|[$%\s]|(?<=\d),(?=\d{3})"
)
MAX_DIGITS = 200
"""Of a number that is read as such; a longer one is a model that repeats itself."""


def after_thinking(text: str) -> str:
    """What follows the last thinking block; a text without one, whole."""
    return text.rpartition(CLOSE)[2]


def mark_of(text: str) -> str:
    """How a result is marked after the thinking: boxed, hashes or number; or empty."""
    text = after_thinking(text)
    if BOX in text:
        return "boxed"
    if HASHES in text:
        return "hashes"
    return "number" if NUMBER.search(text) else ""


def result_of(text: str) -> str:
    """The marked result as it is written; the whole text if none is marked."""
    text = after_thinking(text)
    mark = mark_of(text)
    if mark == "boxed":
        return _inside_braces(text.rpartition(BOX)[2])
    if mark == "hashes":
        line = (text.rpartition(HASHES)[2].strip().splitlines() or [""])[0]
        number = NUMBER.search(line)  # its unit may follow
        return number[0] if number else line
    return NUMBER.findall(text)[-1] if mark else text.strip()


def _inside_braces(text: str) -> str:
    """Up to the brace that closes the one before `text`."""
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if not depth:
            return text[:place]
    return text


def to_value(result: str) -> Fraction | str:
    """A result as a number if it is one, else as bare text in lower case."""
    text = DRESS.sub(r"\1", result.replace("−", "-")).strip().rstrip(".")
    text = RATIO.sub(r"\1\2/\3", text)
    is_number = len(text) <= MAX_DIGITS and VALUE.fullmatch(text)
    try:
        return Fraction(text) if is_number else text.lower()
    except ZeroDivisionError:
        return text


def count_right(segments: Segments) -> tuple[Array, str]:
    """1 where the result equals that of a reference, as a number or as text.

    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """
    rows = zip(segments.completions, segments.references, strict=True)
    found = [
        float(to_value(result_of(said)) in {to_value(result_of(r)) for r in references})
        for said, references in rows
    ]
    return averaged(found), "result|boxed,hashes,last-number|exact"


def is_formed(text: str, gold: str) -> bool:
    """Thinks, or not, as the gold answer does, then answers and marks the result so.

    Thinking is one block, closed, with something in it, before all else.
    """
    thinks = OPEN in gold
    head, _, said = text.rpartition(CLOSE)
    thought = head.strip()
    is_whole = (
        thought.startswith(OPEN)
        and thought.count(OPEN) == 1
        and CLOSE not in thought
        and len(thought) > len(OPEN)
    )
    if thinks and not is_whole or not thinks and (OPEN in text or CLOSE in text):
        return False
    return bool(said.strip()) and mark_of(gold) in ("", "number", mark_of(text))


def count_formed(segments: Segments) -> tuple[Array, str]:
    """1 where the completion has the form of the first reference.

    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """
    rows = zip(segments.completions, segments.references, strict=True)
    found = [float(is_formed(said, references[0])) for said, references in rows]
    return averaged(found), "form|think,mark"


FINAL_ANSWER_METRICS = [
    Metric("final_answer", "Final answer, %", count_right, percent),
    Metric("format", "Valid format, %", count_formed, percent),
]
