r"""Equality of results in any notation.

Numbers are compared exactly: 1,234.5 and 1 234,5 and 1.234,5; 3/4, \frac{3}{4} and
0.75; 1e3, 10^3 and a thousand; digits of every script. A comma or point before three
digits is read as in English (1,234 is a thousand, 1.234 a little more than one). A
unit, a currency or the name of a variable (12 apples, $12, x = 12) is compared if both
results have one; a bare number equals a number with a unit, since the question often
contains the unit. Tuples, intervals and sets are equal if their brackets and parts are,
those of a set in any order. Everything else, including several numbers (3 to 5; 1, 2;
10:30; a date), is compared as text, except for case, whitespace and LaTeX formatting.
In doubt, results are not equal: 50 % is 50, not 0.5; 2 hours is not 120 minutes; 2x is
not 2.
"""

from dataclasses import dataclass
from fractions import Fraction

import regex

from graft.metrics.notation import MULTIPLES, is_unit, to_plain

MAX_DIGITS = 200
"""Longer texts are not parsed as numbers; they come from models that repeat digits."""
MAX_EXPONENT = 300
_PLAIN = r"\d+(?:\.\d*)?|\.\d+|\d+,\d+"
_GROUPED = (
    r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?"
    r"|[1-9]\d{0,2}(?:\.\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}"
    r"|[1-9]\d{0,2}(?:[ '_]\d{3})+(?:[.,]\d+)?"
)
_POWER = r"e[+-]?\d+|\s*\*\s*10\s*\^\s*\{?[+-]?\d+\}?"
_NUMBER = regex.compile(
    rf"(?P<sign>[+-]?)\s*(?:(?P<whole>\d+)\s+)?(?P<top>\d+)\s*/\s*(?P<bottom>\d+)"
    rf"|(?P<sign>[+-]?)\s*(?P<digits>{_GROUPED}|{_PLAIN})(?P<power>{_POWER})?"
    r"|(?P<sign>[+-]?)10\s*\^\s*\{?(?P<ten>[+-]?\d+)\}?",
    regex.I,
)
_MULTIPLE = "|".join(sorted(MULTIPLES, key=len, reverse=True))
_RESULT = regex.compile(
    r"(?:(?P<label>\p{L}\w{0,9})\s*=\s*)?(?P<before>-?\p{L}{0,2}\p{Sc})?\s*"
    rf"(?P<number>[-+\d.].*?)\s*(?:(?P<multiple>{_MULTIPLE})(?![a-z]))?"
    r"\s*(?P<after>[%‰\p{Sc}]|°\s*\p{L}?"
    r"|\p{L}[\p{L}\p{M}]*\.?(?:/\p{L}+|\^[23])?)?",
    regex.I,
)
_TUPLE = regex.compile(r"\\?([(\[{])(.+?)\\?([)\]}])", regex.DOTALL)


@dataclass(frozen=True)
class Result:
    """A result: a number with unit and label, or text.

    Args:
        value: an exact number, or text in lower case.
        unit: unit or currency of a number; empty if there is none.
        label: its name, as x in `x = 3`; empty if there is none.
    """

    value: Fraction | str
    unit: str = ""
    label: str = ""

    def equals(self, other: "Result") -> bool:
        """Whether the values are equal, and units and labels too where both have
        them."""
        return (
            self.value == other.value
            and (not self.unit or not other.unit or self.unit == other.unit)
            and (not self.label or not other.label or self.label == other.label)
        )


def to_result(written: str) -> Result:
    """Parse a result."""
    text = to_plain(written).strip()
    if regex.fullmatch(r"\$[^$]+\$", text):
        text = text[1:-1].strip()
    text = regex.sub(r"^([+-])\s+", r"\1", text.rstrip(".。").strip())
    if len(text) <= MAX_DIGITS and (found := _RESULT.fullmatch(text)):
        if (result := _to_quantity(found)) is not None:
            return result
    return Result(_to_text(text))


def _to_quantity(found: regex.Match[str]) -> Result | None:
    """A number with unit and label; None if it is something else."""
    number, unit = found["number"], (found["after"] or "").rstrip(".").replace(" ", "")
    before = found["before"] or ""
    if before.startswith("-"):
        number, before = f"-{number}", before[1:]
    value = to_number(number)
    if value is None or before and unit or unit and not is_unit(unit):
        return None
    value *= 10 ** MULTIPLES.get((found["multiple"] or "").lower(), 0)
    # Case distinguishes milli from mega, and bits from bytes.
    unit = unit if len(unit) <= 2 else unit.lower()
    return Result(value, before.lower() or unit, (found["label"] or "").lower())


def _to_text(text: str) -> str:
    """Canonical text; the parts of tuples, intervals and sets are canonical results."""
    found = _TUPLE.fullmatch(text)
    if found and not regex.search(r"[()\[\]{}]", found[2]):
        parts = found[2].split(";" if ";" in found[2] else ",")
        shown = [_show(to_result(part)) for part in parts]
        if found[1] == "{" and found[3] == "}":
            shown = sorted(set(shown))
        if len(shown) > 1 or found[1] == "{":
            return f"{found[1]}{'; '.join(shown)}{found[3]}"
        if found[1] + found[3] == "()":
            text = found[2]
    return str(regex.sub(r"\s*([^\w\s])\s*", r"\1", " ".join(text.split()).lower()))


def _show(part: Result) -> str:
    shown = f"{part.value} {part.unit}"
    return f"{part.label}={shown}" if part.label else shown.strip()


def to_number(text: str) -> Fraction | None:
    """A number in any notation; None if the text is not one number."""
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        return None
    sign = -1 if "-" in found.captures("sign") else 1
    if found["ten"]:
        return _power(sign * Fraction(1), int(found["ten"]))
    if found["bottom"]:
        if not int(found["bottom"]):
            return None
        part = Fraction(int(found["top"]), int(found["bottom"]))
        return sign * (int(found["whole"] or 0) + part)
    value = sign * Fraction(_decimal(found["digits"]))
    power = found["power"]
    exponent = regex.sub(r"^(e|E|.*\^)|[\s{}]", "", power) if power else "0"
    return _power(value, int(exponent))


def _power(value: Fraction, exponent: int) -> Fraction | None:
    return value * Fraction(10) ** exponent if abs(exponent) <= MAX_EXPONENT else None


def _decimal(digits: str) -> str:
    """Digits without grouping, and with a decimal point for a decimal comma."""
    digits = regex.sub(r"[ '_]", "", digits)
    last = max(digits.rfind(","), digits.rfind("."))
    if last < 0:
        return digits
    mark, rest = digits[last], digits[last + 1 :]
    other = "." if mark == "," else ","
    groups = digits.count(mark) > 1 or (
        mark == "," and len(rest) == 3 and other not in digits and digits[0] != "0"
    )
    if groups:
        return digits.replace(mark, "")
    return f"{digits[:last].replace(other, '')}.{rest}"
