"""Reference answers that generation could never return in full.

A completion ends before the first stop text and after `max_new_tokens`. Where a
reference answer contains a stop text, or is longer, every correct completion is cut and
scored as wrong.
"""

import sys
from collections.abc import Sequence
from itertools import takewhile

from graft.config import GenerationConfig
from graft.errors import DataError
from graft.inference.examples import HeldOutExample
from graft.records import shorten


def check_answer_limits(
    examples: Sequence[HeldOutExample], generation: GenerationConfig
) -> list[str]:
    """Print and return sentences on the reference answers that generation will cut.

    Raises: DataError if more than the share `max_cut_answers` contain a stop text.
    """
    found = [*_stop_texts(examples, generation), *_lengths(examples, generation)]
    for text in found:
        print(f"warning: {text}", file=sys.stderr)
    return found


def _stop_texts(
    examples: Sequence[HeldOutExample], generation: GenerationConfig
) -> list[str]:
    # White space around a completion is stripped: a stop text in the space after the
    # answer cuts nothing, one in the space before it leaves nothing.
    answers = [example.messages[-1]["content"].rstrip() for example in examples]
    found = [text for text in generation.stop if any(text in a for a in answers)]
    cut = [
        row
        for row, answer in enumerate(answers)
        if any(text in answer for text in found)
    ]
    if not cut:
        return []
    occur = " and ".join(f"{text!r} occurs" for text in found[:2])
    if len(found) > 2:
        occur = f"{len(found)} stop texts occur"
    first = f"{examples[cut[0]].where}: {shorten(repr(answers[cut[0]]))}"
    count = f"{occur} in {len(cut):,} of {len(examples):,} reference answers"
    if len(cut) > generation.max_cut_answers * len(examples):
        raise DataError(
            "generation.stop",
            f"{count}, such as {first}",
            expected="stop texts that no reference answer contains: a completion ends "
            "before the first of them, so every such answer would be scored as wrong. "
            f"At most {generation.max_cut_answers:.1%} of them may "
            "(generation.max_cut_answers)",
            fix="set generation.stop to [] in configs/task (the end-of-turn token ends "
            "an answer anyway), choose another stop text, or remove it from the "
            "answers",
        )
    return [
        f"generation.stop: {count}, which can never be generated in full, such as "
        f"{first}"
    ]


def _lengths(
    examples: Sequence[HeldOutExample], generation: GenerationConfig
) -> list[str]:
    longest = generation.max_new_tokens
    lengths = [
        _num_answer_tokens(example)
        for example in examples
        if any(turn["role"] == "user" for turn in example.messages)
    ]
    num_long = sum(length > longest for length in lengths)
    if not num_long:
        return []
    return [
        f"generation.max_new_tokens: {num_long:,} of {len(lengths):,} reference "
        f"answers have more than {longest} tokens (up to {max(lengths):,}), and can "
        "never be generated in full; raise it"
    ]


def _num_answer_tokens(example: HeldOutExample) -> int:
    """Tokens of the last answer, without its end-of-turn token."""
    return sum(1 for _ in takewhile(bool, reversed(example.loss_mask))) - 1
