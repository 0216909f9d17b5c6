r"""Whether two results are the same, whole, in whatever notation they are written.

Numbers are compared exactly: 1,234.5 and 1 234,5 and 1.234,5; 3/4, \frac{3}{4} and
0.75; 1e3 and 10^3; digits of every script. A comma or point before three digits is read
as in English (1,234 is a thousand, 1.234 a little more than one). A unit, a currency or
a variable's name (12 apples, $12, x = 12) counts if both results have one; a bare
number is equal to a number with a unit, since questions often name it. What is more
than one number (3 to 5; 1, 2; 10:30; a date) and all else is text: equal if the signs
are, apart from case, blanks and LaTeX's dress. What is in doubt is therefore not equal:
50 % is 50, and not 0.5; 2 hours is not 120 minutes.
"""

import unicodedata
from dataclasses import dataclass
from fractions import Fraction

import regex

from graft.metrics.words import fold

MAX_DIGITS = 200
"""Of a number that is read as such; a longer one is a model that repeats itself."""
MAX_EXPONENT = 300
SCALES = frozenset(
    "hundred thousand million millions billion billions trillion dozen dozens k m b "
    "mille milliers million millions milliard milliards tausend million millionen "
    "milliarde milliarden or and to more less times ou et à plus moins fois oder und "
    "bis mehr weniger mal percent 万 千 百 億 亿".split()
)
"""Words behind a number that are no unit: they change it."""
_SIGNS = str.maketrans(
    {"−": "-", "－": "-", "٫": ".", "٬": ",", "、": ",", "’": "'"}
    | {"×": "*", "·": "*", "⁄": "/", "％": "%"}
    | dict.fromkeys("\u00a0\u202f\u2009", " ")
)
_DRESS = regex.compile(
    r"\\(?:text|mathrm|mathbf|textbf|mbox)\{([^{}]*)\}|\\left|\\right|\\[,;:! ()\[\]]"
    r"|\*\*|\\(?=[$%])"
)
_PART = r"\s*(?:\{(-?\d+)\}|(\d))"
_RATIO = regex.compile(rf"\\[dt]?frac{_PART}{_PART}")
_PLAIN = r"\d+(?:\.\d*)?|\.\d+|\d+,\d+"
_GROUPED = (
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"
    r"|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}"
    r"|\d{1,3}(?:[ '_]\d{3})+(?:[.,]\d+)?"
)
_POWER = r"e[+-]?\d+|\s*(?:\*|\\times|\\cdot)\s*10\s*\^\s*\{?[+-]?\d+\}?"
_NUMBER = regex.compile(
    rf"(?P<sign>[+-]?)\s*(?:(?P<whole>\d+)\s+)?(?P<top>\d+)\s*/\s*(?P<bottom>\d+)"
    rf"|(?P<sign>[+-]?)\s*(?P<digits>{_GROUPED}|{_PLAIN})(?P<power>{_POWER})?"
    r"|(?P<sign>[+-]?)10\s*\^\s*\{?(?P<ten>[+-]?\d+)\}?"
)
_RESULT = regex.compile(
    r"(?:(?P<label>\p{L}\w{0,9})\s*=\s*)?(?P<before>-?\p{Sc})?\s*(?P<number>[-+\d.].*?)"
    r"\s*(?P<after>[%‰\p{Sc}]|°\s*\p{L}?"
    r"|\p{L}[\p{L}\p{M}]*\.?(?:/\p{L}+|\^[23]|[²³])?)?"
)


@dataclass(frozen=True)
class Result:
    """A result: a number with what names it, or text.

    Args:
        value: exact; or text in lower case.
        unit: of a number, or its currency; empty if there is none.
        label: the name it is given, as x in `x = 3`; empty if there is none.
    """

    value: Fraction | str
    unit: str = ""
    label: str = ""

    def equals(self, other: "Result") -> bool:
        """The same value, and nothing that both have is different."""
        return (
            self.value == other.value
            and (not self.unit or not other.unit or self.unit == other.unit)
            and (not self.label or not other.label or self.label == other.label)
        )


def to_result(written: str) -> Result:
    """A result as it is written → what it says."""
    text = _plain(written)
    if len(text) <= MAX_DIGITS and (found := _RESULT.fullmatch(text)):
        number = found["number"]
        unit = (found["after"] or "").rstrip(".").replace(" ", "")
        before = found["before"] or ""
        if before.startswith("-"):
            number, before = f"-{number}", before[1:]
        value = to_number(number)
        if value is not None and unit not in SCALES and not (before and unit):
            return Result(value, before or unit, found["label"] or "")
    return Result(regex.sub(r"\s*([^\w\s])\s*", r"\1", " ".join(text.split())))


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
    exponent = regex.sub(r"^(e|.*\^)|[\s{}]", "", power) if power else "0"
    return _power(value, int(exponent))


def _power(value: Fraction, exponent: int) -> Fraction | None:
    return value * Fraction(10) ** exponent if abs(exponent) <= MAX_EXPONENT else None


def _decimal(digits: str) -> str:
    """Digits with at most a point: grouped digits joined, a decimal comma a point."""
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


def _plain(written: str) -> str:
    """Without LaTeX's dress, in one form of signs and letters, in lower case."""
    text = regex.sub(r"[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]", _fraction, written)
    text = fold(text.translate(_SIGNS)).translate(_SIGNS).strip()
    if regex.fullmatch(r"\$[^$]+\$", text):
        text = text[1:-1]
    text = _DRESS.sub(lambda found: found[1] or "", text)
    text = _RATIO.sub(_ratio, text.replace("{,}", ","))
    text = regex.sub(r"^([+-])\s+", r"\1", text.strip().rstrip(".。").strip())
    return str(text).lower()


def _ratio(found: regex.Match[str]) -> str:
    """A fraction as LaTeX has it; a whole number before it stays apart."""
    top, bottom = found[1] or found[2], found[3] or found[4]
    is_mixed = found.string[: found.start()][-1:].isdigit()
    return f"{' ' * is_mixed}{top}/{bottom}"


def _fraction(sign: regex.Match[str]) -> str:
    return " " + unicodedata.normalize("NFKC", sign[0])
