"""What mojibake looks like to ftfy, as a pattern that Polars can run.

ftfy leaves each text alone in which its own pattern of unlikely neighbours finds
nothing. Run natively, that pattern spares nearly all texts the call, and hides none.
"""

import re

from ftfy.badness import BADNESS_RE


def _to_native(pattern: str) -> str:
    """A verbose pattern of Python in Rust's dialect. It finds all that Python's does.

    Both read escapes alike, but Rust means other characters by "blank" and "word", and
    has operators (`&&`, `--`, `~~`, `[`) inside brackets.
    """
    native, inside = "", False
    for part in re.findall(r"\\.|\[|\]|[^\\\[\]]+", _uncommented(pattern)):
        if part in ("[", "]"):
            native += "\\[" if part == "[" and inside else part
            inside = part == "["
        elif part in _CLASSES:
            native += _CLASSES[part]
        elif inside:
            native += re.sub(r"([&~])", r"\\\1", part)
        else:
            native += "".join(part.split())
    return native


def _uncommented(pattern: str) -> str:
    return re.sub(r"(?m)^\s*#.*$", "", pattern)


_CLASSES = {r"\s": r"[\s\x1c-\x1f]", r"\w": r"[\w\p{N}]"}
MOJIBAKE = _to_native(BADNESS_RE.pattern)

# What each of its alternatives needs, and a cheaper search: nearly all texts of Western
# languages have neither.
MAY_BE_MOJIBAKE = r"[^\x00-\x7f]{2}|[\u0080-\u009fÂÃŒœ]"
