r"""Reasoned answers: correctness of the final result, and format.

The result is the content of the last \boxed{}; otherwise what follows the last #### on
its line; otherwise what follows the last "the answer is"; otherwise the last number
after the thinking, with the numbers that are joined to it and the words that change its
value. These markers are the conventions of Hendrycks et al. 2021 (MATH,
arXiv:2103.03874), Cobbe et al. 2021 (GSM8K, arXiv:2110.14168) and Kojima et al. 2022
(arXiv:2205.11916). `graft.metrics.results` defines which results are equal.
"""

import re

from graft.metrics.calls import find_calls, reference_calls
from graft.metrics.notation import is_magnitude, is_unit, to_plain
from graft.metrics.results import to_result
from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.records import THINK_END, THINK_START

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
    """The text after the thinking, without GSM8K's calculations (<<2*3=6>>), and with
    \\boxed for \\fbox."""
    return _CALCULATION.sub("", text.rpartition(THINK_END)[2]).replace(r"\fbox{", BOX)


def answer_marker(text: str) -> str:
    """The marker of the result: boxed, hashes, answer or number; empty if there is
    none."""
    text = _to_marked(text)
    if BOX in text:
        return "boxed"
    if HASHES in text:
        return "hashes"
    if ANSWER.search(text):
        return "answer"
    return "number" if JOINED.search(text) else ""


def extract_result(text: str) -> str:
    """The result as it is written; the complete text if there is no number either.

    Without a marker, a text that consists only of a result is the result, such as
    `12 km` or `2^10`. Otherwise it is the last number, with the numbers joined to it,
    as in `3 to 5`, and the words that change it, as in `5 million`.
    """
    text = _to_marked(text)
    mark = answer_marker(text)
    if mark == "boxed":
        return _inside_braces(text.rpartition(BOX)[2])
    if mark == "hashes":
        return (text.rpartition(HASHES)[2].strip().splitlines() or [""])[0]
    if mark == "answer":
        return _answered(text[[*ANSWER.finditer(text)][-1].end() :])
    if not mark or _is_bare(text.strip()):
        return text.strip()
    text = to_plain(text)
    return _with_modifiers([*JOINED.finditer(text)][-1])


def _answered(text: str) -> str:
    """The result at the beginning of a text that follows "the answer is"."""
    sentence = _SENTENCE_END.split(text, maxsplit=1)[0].strip(" *_")
    if _is_bare(sentence):
        return sentence
    plain = to_plain(sentence).rpartition("=")[2].strip()
    if not _OPENING.match(plain):
        return sentence
    return _with_modifiers(JOINED.search(plain))


def _with_modifiers(found: re.Match[str] | None) -> str:
    """Numbers with the adjacent sign or word that changes their value."""
    if found is None:
        return ""
    before = _BEFORE.search(found.string[max(found.start() - 40, 0) : found.start()])
    after = _AFTER.match(found.string, found.end())
    head, tail = before[0] if before else "", after[0] if after else ""
    return f"{head}{found[0]}{tail if _changes(after) else ''}".strip()


def _changes(after: re.Match[str] | None) -> bool:
    """Whether the text after a number changes its value: 5 million and 2x, but not
    5 a day or 5 or so."""
    if after is None or not (word := after[2]):
        return True
    if after[1]:
        return is_magnitude(word) and not (len(word) == 1 and word.isascii())
    return not is_unit(word)


def _is_bare(text: str) -> bool:
    """Whether a text is only a result, not a sentence about it."""
    if not isinstance(to_result(text).value, str):
        return True
    has_letters = any(sign.isalpha() for sign in text)
    is_short = len(text.split()) <= 2 and bool(re.match(r"[-−+]?\d", text))
    return "=" not in text and "\n" not in text and (not has_letters or is_short)


def _inside_braces(text: str) -> str:
    """`text` up to the brace that closes the one before it."""
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if not depth:
            return text[:place]
    return text


def is_correct(completion: str, gold: str) -> bool:
    """Whether both have the same complete result; an empty result is never correct.

    If the reference contains tool calls, the calls are compared instead.
    """
    if calls := reference_calls(gold):
        return find_calls(completion) == calls
    if completion.strip() and completion.strip() == gold.strip():
        return True
    result = extract_result(completion)
    return bool(result) and to_result(result).equals(to_result(extract_result(gold)))


def count_correct(segments: Segments) -> tuple[Array, str]:
    """1 where the result equals that of a reference."""
    found = [
        float(any(is_correct(completion, gold) for gold in references))
        for completion, references in segments.pairs()
    ]
    return averaged(found), "result|boxed,hashes,answer-is,last-number|whole"


def has_format(text: str, gold: str) -> bool:
    """Whether a text has the format of the reference: with or without thinking, then an
    answer whose result has the same marker.

    Thinking must be a single closed, non-empty block at the beginning. For a reference
    with tool calls, any tool call is enough.
    """
    if reference_calls(gold):
        return bool(find_calls(text))
    head, _, answer = text.rpartition(THINK_END)
    thought = head.strip()
    is_block = (
        thought.startswith(THINK_START)
        and thought.count(THINK_START) == 1
        and THINK_END not in thought
        and len(thought) > len(THINK_START)
    )
    thinks = THINK_START in text or THINK_END in text
    if not is_block if THINK_START in gold else thinks:
        return False
    accepted = ("", "number", answer_marker(text))
    return bool(answer.strip()) and answer_marker(gold) in accepted


def count_format(segments: Segments) -> tuple[Array, str]:
    """1 where the completion has the format of the first reference."""
    found = [float(has_format(text, gold[0])) for text, gold in segments.pairs()]
    return averaged(found), "form|think,mark"


FINAL_ANSWER_METRICS = [
    Metric("final_answer", "Final answer, %", count_correct, percent),
    Metric("format", "Valid format, %", count_format, percent),
]
