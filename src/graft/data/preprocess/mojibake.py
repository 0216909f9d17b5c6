"""ftfy's pattern of mojibake, translated for the regex engine of Polars.

ftfy leaves a text unchanged unless its pattern of unlikely character sequences matches.
Run natively, that pattern saves nearly all calls of ftfy, and misses no text.
"""

import re

from ftfy.badness import BADNESS_RE


def _to_native(pattern: str) -> str:
    """A verbose Python pattern in Rust's syntax, which matches whatever Python's does.

    Escapes are the same, but `\\s` and `\\w` are other sets in Rust, which also has
    operators (`&&`, `--`, `~~`, `[`) inside brackets.
    """
    native, inside = "", False
    pattern = re.sub(r"(?m)^\s*#.*$", "", pattern)
    for part in re.findall(r"\\.|\[|\]|[^\\\[\]]+", pattern):
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


_CLASSES = {r"\s": r"[\s\x1c-\x1f]", r"\w": r"[\w\p{N}]"}
MOJIBAKE = _to_native(BADNESS_RE.pattern)

# Each alternative of the pattern needs one of these, which are cheaper to search for;
# nearly all texts of Western languages have neither.
MAY_BE_MOJIBAKE = r"[^\x00-\x7f]{2}|[\u0080-\u009fÂÃŒœ]"
