r"""Reasoned answers: is the result right, and does the answer have its form.

A result is what stands in the last \boxed{}, or else on the line of the last ####, or
else after the last "the answer is", or else the last number of what follows the
thinking, with the numbers that are joined to it and what changes it. The marks are the
conventions of Hendrycks et al. 2021 (MATH, arXiv:2103.03874), Cobbe et al. 2021 (gsm8k,
arXiv:2110.14168) and Kojima et al. 2022 (arXiv:2205.11916); `graft.metrics.results`
says which results are equal.
"""

import re

from graft.metrics.calls import gold_calls, to_calls
from graft.metrics.notation import is_magnitude, is_unit, to_plain
from graft.metrics.results import to_result
from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.metrics.thinking import CLOSE, OPEN, after_thinking

BOX, HASHES = r"\boxed{", "####"
ANSWER = re.compile(
    r"(?:\banswer\s*(?:is(?: therefore| thus| then| hence)?|:|=)"
    r"|\br[ée]ponse\s*(?:est|:)|\bAntwort\s*(?:ist|lautet|:)|\brespuesta\s*(?:es|:)"
    r"|答案是|答案[:：]|答えは)[\s:：*_]*",
    re.IGNORECASE,
)
_NUMBER = (
    r"(?:\d{1,3}\s\d{1,2}/\d{1,2}(?![\d/])"
    r"|\d{1,3}(?:[ '\u00a0\u202f\u2009’]\d{3}(?!\d))+|\d+)(?:[.,٫٬，]\d+)*"
    r"(?:[eE][-+]?\d+)?|\.\d+"
)
_SIGNED = rf"[-−]?(?:{_NUMBER})"
_JOINT = (
    r"\s*[–—~;,、*×·^+]\s*|\s*\\(?:times|cdot)\s*|[-/:]|\s+[-/]\s+"
    r"|\s+(?:to|and|or|à|et|ou|bis|und|oder|a|y|o)\s+"
)
JOINED = re.compile(rf"(?:{_SIGNED})(?:(?:{_JOINT})(?:{_SIGNED}))*")
_BEFORE = re.compile(
    r"(?:\bnot\s+|n't\s+|[^\s=$(>]*[√\\^_{][^\s=>]*|(?<![<>])[<>]\s*|[±≤≥≠~≈]\s*)$"
)
_AFTER = re.compile(r"\s*[%‰!^√}{\\][^\s.]*|(\s*)([^\W\d_]+)")
_OPENING = re.compile(rf"[^\W\d_]{{0,2}}[$€£¥₹]?\s*(?:{_SIGNED})")
_CALCULATION = re.compile(r"<<[^<>]*>>")
_SENTENCE_END = re.compile(r"(?:[.!?](?=\s|$)|。|\n)")


def _to_marked(text: str) -> str:
    """The answer without gsm8k's calculations (<<2*3=6>>), and with one kind of box."""
    return _CALCULATION.sub("", after_thinking(text)).replace(r"\fbox{", BOX)


def mark_of(text: str) -> str:
    """How a result is marked after the thinking: boxed, hashes, answer or number; or
    empty."""
    text = _to_marked(text)
    if BOX in text:
        return "boxed"
    if HASHES in text:
        return "hashes"
    if ANSWER.search(text):
        return "answer"
    return "number" if JOINED.search(text) else ""


def result_of(text: str) -> str:
    """The marked result as it is written; the whole text if none is marked.

    Unmarked, a text that says nothing but a result is one, whole, such as `12 km` or
    `2^10`; of any other the last number is, and all that are joined to it, as in
    `3 to 5`, or that change it, as in `5 million`.
    """
    text = _to_marked(text)
    mark = mark_of(text)
    if mark == "boxed":
        return _inside_braces(text.rpartition(BOX)[2])
    if mark == "hashes":
        return (text.rpartition(HASHES)[2].strip().splitlines() or [""])[0]
    if mark == "answer":
        return _answered(text[[*ANSWER.finditer(text)][-1].end() :])
    if not mark or _is_bare(text.strip()):
        return text.strip()
    text = to_plain(text)
    return _with_what_changes_it([*JOINED.finditer(text)][-1])


def _answered(text: str) -> str:
    """The result that a text after "the answer is" begins with."""
    sentence = _SENTENCE_END.split(text, maxsplit=1)[0].strip(" *_")
    if _is_bare(sentence):
        return sentence
    plain = to_plain(sentence).rpartition("=")[2].strip()
    if not _OPENING.match(plain):
        return sentence
    return _with_what_changes_it(JOINED.search(plain))


def _with_what_changes_it(found: re.Match[str] | None) -> str:
    """Numbers with a sign or a word beside them that makes another result of them."""
    if found is None:
        return ""
    before = _BEFORE.search(found.string[max(found.start() - 40, 0) : found.start()])
    after = _AFTER.match(found.string, found.end())
    head, tail = before[0] if before else "", after[0] if after else ""
    return f"{head}{found[0]}{tail if _changes(after) else ''}".strip()


def _changes(after: re.Match[str] | None) -> bool:
    """Whether what follows a number makes another result of it: 5 million, 2x; and
    not: 5 a day, 5 or so."""
    if after is None or not (word := after[2]):
        return True
    if after[1]:
        return is_magnitude(word) and not (len(word) == 1 and word.isascii())
    return not is_unit(word)


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
    """Whether both have the same result, whole; an empty one is right of nothing.

    Of a gold answer that calls tools the calls are the result.
    """
    if calls := gold_calls(gold):
        return to_calls(said) == calls
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
    return averaged(found), "result|boxed,hashes,answer-is,last-number|whole"


def is_formed(text: str, gold: str) -> bool:
    """Thinks, or not, as the gold answer does, then answers and marks the result so.

    Thinking is one block, closed, with something in it, before all else. A gold answer
    that calls tools says nothing of the thinking before.
    """
    if gold_calls(gold):
        return bool(to_calls(text))
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
