"""Instructions whose steps follow from their own words, in four unequal domains."""

from random import Random
from typing import Any

from sample.nouns import NOUNS
from sample.numbers import english_number

from .families import FAMILIES, INPUTS, POOLS, SIZES, WITH_INPUT

_PLURAL = {noun.en: noun.en_plural for noun in NOUNS}


def instructions(rng: Random) -> list[dict[str, Any]]:
    """Rows of the file in random order; neither a question nor its steps come twice."""
    rows = [row for domain in SIZES for row in _of_domain(rng, domain)]
    rng.shuffle(rows)
    return rows


def _of_domain(rng: Random, domain: str) -> list[dict[str, Any]]:
    blocks = [block.splitlines() for block in FAMILIES[domain].strip().split("\n\n")]
    inputs = [line.split("; ") for line in INPUTS[domain].strip().splitlines()]
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    asked: set[tuple[str, str | None]] = set()
    while len(found) < SIZES[domain]:
        words = _draw(rng)
        instruction, *steps = rng.choice(blocks)
        instruction = instruction.format(**words)
        given = None
        if rng.random() < WITH_INPUT:
            place, given, step = rng.choice(inputs)
            steps.insert(0 if place == "first" else len(steps), step)
            given = given.format(**words)
        said = tuple(step.format(**words) for step in steps)
        row = {
            "instruction": instruction,
            "input": given,
            "steps": list(said),
            "domain": domain,
        }
        if said not in found and (instruction, given) not in asked:
            asked.add((instruction, given))
            found[said] = row
    return list(found.values())


def _draw(rng: Random) -> dict[str, str]:
    """A word for each slot, and its plural."""
    words = {"number": english_number(rng.randint(2, 12))}
    for slot, pool in POOLS.items():
        word = rng.choice(pool.split() if isinstance(pool, str) else pool)
        words[slot] = word
        if word in _PLURAL:
            words[f"{slot}s"] = _PLURAL[word]
    return words
