r"""Reasoned answers: is the result right, and does the answer have its form.

A result is what stands in the last \boxed{}, or else on the line of the last ####, or
else the last number of what follows the thinking, with the numbers that are joined to
it. The marks are the conventions of Hendrycks et al. 2021 (MATH, arXiv:2103.03874) and
Cobbe et al. 2021 (gsm8k, arXiv:2110.14168); `graft.metrics.results` says which results
are equal.
"""

import re

from graft.metrics.results import to_result
from graft.metrics.statistics import Array, Metric, Segments, averaged, percent

OPEN, CLOSE = "<think>", "</think>"
BOX, HASHES = r"\boxed{", "####"
_NUMBER = (
    r"(?:\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+|\d+)(?:[.,٫٬，]\d+)*"
    r"(?:[eE][-+]?\d+)?|\.\d+"
)
_SIGNED = rf"[-−]?(?:{_NUMBER})"
_JOINT = (
    r"\s*[–—~;,、]\s*|[-/:]|\s+[-/]\s+|\s+(?:to|and|or|à|et|ou|bis|und|oder|a|y|o)\s+"
)
NUMBER = re.compile(_SIGNED)
JOINED = re.compile(rf"(?:{_SIGNED})(?:(?:{_JOINT})(?:{_SIGNED}))*")


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
    """The marked result as it is written; the whole text if none is marked.

    Unmarked, a text that says nothing but a result is one, whole, such as `12 km` or
    `2^10`; of any other the last number is, and all that are joined to it, as in
    `3 to 5`.
    """
    text = after_thinking(text)
    mark = mark_of(text)
    if mark == "boxed":
        return _inside_braces(text.rpartition(BOX)[2])
    if mark == "hashes":
        return (text.rpartition(HASHES)[2].strip().splitlines() or [""])[0]
    if not mark or _is_bare(text.strip()):
        return text.strip()
    return str(JOINED.findall(text)[-1]).strip()


def _is_bare(text: str) -> bool:
    """Whether a text is a result and no sentence about it."""
    if not isinstance(to_result(text).value, str):
        return True
    has_letters = any(sign.isalpha() for sign in text)
    is_short = len(text.split()) <= 2 and bool(re.match(r"[-−+]?\d", text))
    return "=" not in text and "\n" not in text and (not has_letters or is_short)


def _inside_braces(text: str) -> str:
    """Up to the brace that closes the one before `text`."""
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if not depth:
            return text[:place]
    return text


def is_right(said: str, gold: str) -> bool:
    """Whether both have the same result, whole; an empty one is right of nothing."""
    if said.strip() and said.strip() == gold.strip():
        return True
    result = result_of(said)
    return bool(result) and to_result(result).equals(to_result(result_of(gold)))


def count_right(segments: Segments) -> tuple[Array, str]:
    """1 where the result is that of a reference.

    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """
    rows = zip(segments.completions, segments.references, strict=True)
    found = [
        float(any(is_right(said, gold) for gold in references))
        for said, references in rows
    ]
    return averaged(found), "result|boxed,hashes,last-number|whole"


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
