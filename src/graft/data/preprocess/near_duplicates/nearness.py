"""The exact comparison of two conversations."""

import numpy as np

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.preprocess.near_duplicates.hash_sets import (
    Flags,
    Ints,
    ranges,
    to_blocks,
)
from graft.data.preprocess.near_duplicates.pairs import Pairs
from graft.data.preprocess.near_duplicates.sets import Sets

_OWN_WORDS = 3


def are_near(pairs: Pairs, sets: Sets, config: NearDuplicatesConfig) -> Flags:
    """Which pairs are near-duplicates. Shape [pairs].

    Two conversations are near-duplicates if they are similar as a whole, in their
    answers, and without the lines that both prompts share (a passage, an instruction,
    the same first turns); and if not both prompts have a run of words that the other
    lacks, as two questions in the same template do. Two texts are similar if:

    - The Jaccard similarity of their shingles reaches the threshold.
    - Of the shingles, and of the numbers, of the text with fewer, the other lacks at
      most `max_replaced`: an added word changes little, a replaced word changes the
      meaning, and `3 + 4` is not `3 + 5`, however long the text around it.
    - At most one of them has a line of which the other lacks more than half. A copy
      that lost or gained a sentence, a line or a number is still a copy.

    `pairs`: indices into `sets`. Shape [pairs, 2].
    """
    near = np.ones(len(pairs), bool)
    for holds in (_are_alike, _answers_are_alike, _prompts_are_alike, _differ_in_words):
        left = np.flatnonzero(near)
        near[left] = holds(pairs[left], sets, config)
    return near


def _are_alike(pairs: Pairs, sets: Sets, config: NearDuplicatesConfig) -> Flags:
    both = sets.shingles.common(sets.shingles, *pairs.T)
    sizes = sets.shingles.sizes[pairs]
    near = both >= config.threshold * (sizes.sum(axis=1) - both)
    near &= both >= (1 - config.max_replaced) * sizes.min(axis=1)
    left = np.flatnonzero(near)
    both = sets.numbers.common(sets.numbers, *pairs[left].T)
    fewer = sets.numbers.sizes[pairs[left]].min(axis=1)
    near[left] = both >= (1 - config.max_replaced) * fewer
    left = np.flatnonzero(near)
    one, other = pairs[left].T
    near[left] = ~(_has_own_line(sets, one, other) & _has_own_line(sets, other, one))
    return np.asarray(near)


def _has_own_line(sets: Sets, rows: Ints, others: Ints) -> Flags:
    """Whether a row has a line of which the other row lacks more than half."""
    if rows.size == 0:
        return np.zeros(0, bool)
    counts = np.diff(sets.rows)[rows]
    lines = ranges(sets.rows, rows)
    shared = sets.lines.common(sets.shingles, lines, np.repeat(others, counts))
    own = 2 * shared < sets.lines.sizes[lines]
    return np.asarray(np.logical_or.reduceat(own, np.cumsum(counts) - counts))


def _answers_are_alike(pairs: Pairs, sets: Sets, config: NearDuplicatesConfig) -> Flags:
    near = np.ones(len(pairs), bool)
    left = np.flatnonzero(sets.prompt_lines[pairs].any(axis=1))
    rows, places = np.unique(pairs[left], return_inverse=True)
    near[left] = _are_alike(places.reshape(-1, 2), sets.answers(rows), config)
    return near


def _prompts_are_alike(pairs: Pairs, sets: Sets, config: NearDuplicatesConfig) -> Flags:
    """Whether pairs are similar without the lines that both prompts share."""
    framed, own = _without_shared(pairs, sets, config)
    near = np.ones(len(pairs), bool)
    near[framed] = _are_alike(np.arange(2 * len(framed)).reshape(-1, 2), own, config)
    return near


def _without_shared(
    pairs: Pairs, sets: Sets, config: NearDuplicatesConfig
) -> tuple[Ints, Sets]:
    """The pairs whose prompts share lines, and the sets of their other lines: two
    consecutive rows per pair.

    A line is shared if the other row has all its numbers and nearly all its shingles,
    or if most of its shingles are in such lines of the other (it has a sentence more).
    """
    rows, others = pairs.reshape(-1), pairs[:, ::-1].reshape(-1)
    counts = np.diff(sets.rows)[rows]
    lines = ranges(sets.rows, rows)
    row = np.repeat(np.arange(len(rows)), counts)
    of_prompt = np.flatnonzero(
        lines - sets.rows[rows][row] < sets.prompt_lines[rows][row]
    )
    mine, its = lines[of_prompt], others[row[of_prompt]]
    both = sets.lines.common(sets.shingles, mine, its)
    numbers = sets.exact.common(sets.numbers, mine, its)
    same = both >= (1 - config.max_replaced) * sets.lines.sizes[mine]
    same &= numbers == sets.exact.sizes[mine]
    sizes = np.bincount(row[of_prompt[same]], minlength=len(rows))
    frames = sets.take(mine[same], sizes).shingles
    both = frames.common(sets.lines, row[of_prompt] ^ 1, mine)
    same |= both >= config.threshold * sets.lines.sizes[mine]
    framed = np.unique(row[of_prompt[same]] // 2)
    kept = np.ones(len(lines), bool)
    kept[of_prompt[same]] = False
    kept &= np.isin(row // 2, framed)
    number = np.searchsorted(framed, row[kept] // 2) * 2 + row[kept] % 2
    own = sets.take(lines[kept], np.bincount(number, minlength=2 * len(framed)))
    return framed, own


def _differ_in_words(pairs: Pairs, sets: Sets, config: NearDuplicatesConfig) -> Flags:
    """Whether at least one of the prompts has no run of words that the other lacks."""
    length = _OWN_WORDS + config.shingle - 1
    near = np.ones(len(pairs), bool)
    for at in to_blocks(sets.shingles.sizes[pairs].sum(axis=1)):
        one, other = pairs[at].T
        own = _longest_own_run(sets, one, other) >= length
        own &= _longest_own_run(sets, other, one) >= length
        near[at] = ~own
    return near


def _longest_own_run(sets: Sets, rows: Ints, others: Ints) -> Ints:
    """Length of the longest run of shingles of each prompt that the other row lacks."""
    prompts = sets.prompts.take(rows)
    pair = np.repeat(np.arange(len(rows)), prompts.sizes)
    known = sets.shingles.take(others).have(pair, prompts.hashes)
    here = np.arange(len(known))
    begins = prompts.offsets[:-1][pair]
    last = np.maximum.accumulate(np.where(known, here + 1, 0))
    run = here + 1 - np.maximum(last, begins)
    longest = np.zeros(len(rows), np.int64)
    np.maximum.at(longest, pair, run)
    return longest
