"""A grammar in a text file, expanded at random: `{name}` stands for what has a name."""

import re
from collections.abc import Mapping
from pathlib import Path
from random import Random

Rules = Mapping[str, tuple[str, ...]]
_SLOT = re.compile(r"\{(\^?)(\w+)\}")


def read_rules(path: Path) -> Rules:
    """Rules of a file: a line `# name`, then one alternative a line.

    Raises: ValueError for a line that stands under no name.
    """
    rules: dict[str, list[str]] = {}
    name = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            name = line[2:].strip()
            rules[name] = []
        elif line.strip():
            if name is None:
                raise ValueError(f"{path}: {line!r} stands under no name")
            rules[name].append(line.strip())
    return {name: tuple(lines) for name, lines in rules.items()}


def expand(rng: Random, text: str, rules: Rules, facts: Mapping[str, str]) -> str:
    """The text with its slots filled, and the slots of what fills them.

    No alternative is chosen twice while others are left.

    Args:
        text: `{name}` is a fact, or else any alternative of the rule; `{^name}` begins
            with a capital.
        facts: what does not change from one slot to the next.
    Raises: KeyError for a name that is neither a fact nor a rule.
    """
    used: dict[str, list[str]] = {}

    def fill(slot: re.Match[str]) -> str:
        capital, name = slot.groups()
        said = _SLOT.sub(fill, facts[name] if name in facts else choose(name))
        return said[0].upper() + said[1:] if capital else said

    def choose(name: str) -> str:
        before = used.setdefault(name, [])
        if len(before) == len(rules[name]):
            before.clear()
        before.append(rng.choice([one for one in rules[name] if one not in before]))
        return before[-1]

    return _SLOT.sub(fill, text)
