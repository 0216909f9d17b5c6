r"""Canonical notation of numbers in any script, LaTeX or typography.

`to_plain` changes only the notation: digits of every script become 0 to 9, 10³ becomes
10^3, ½ and \frac{1}{2} become 1/2, and \pi becomes π.
"""

import unicodedata
from collections.abc import Mapping

import regex

from graft.metrics.words import fold

MULTIPLES: Mapping[str, int] = {
    **{"thousand": 3, "million": 6, "millions": 6, "millionen": 6},
    **{"lakh": 5, "lakhs": 5, "crore": 7, "crores": 7, "लाख": 5, "करोड़": 7},
    **{"万": 4, "萬": 4, "億": 8, "亿": 8, "만": 4, "억": 8},
}
"""Words after a number that mean a power of ten, the same in every language. "Billion"
does not: it is 10^9 in English and 10^12 in French and German."""
MAGNITUDES = frozenset(
    (
        "hundred hundreds thousands billion billions trillion dozen dozens score gross "
        "k m b mil mn mln bn tn squared cubed factorial mille milliers "
        "milliard milliards douzaine tausend hundert dutzend milliarde milliarden mio "
        "mrd ciento cientos millón millones docena docenas billón billones milhão "
        "milhões milhares bilhões mila milione milioni miliardo miliardi dozzina сто "
        "тысяча тысячи тысяч тыс миллион миллиона миллионов млн миллиард миллиардов "
        "млрд सौ हज़ार हजार अरब ألف آلاف مليون ملايين "
        "مليار مئة مائة พัน หมื่น แสน ล้าน ร้อย "
        "nghìn triệu tỷ ribu juta milyar bin milyon"
    ).split()
)
"""Words after a number that change its value."""
QUALIFIERS = frozenset(
    (
        "percent half halves third thirds quarter quarters tenth tenths hundredth "
        "hundredths thousandths or and to more less fewer times ou et à plus moins "
        "fois oder und bis mehr weniger mal o y más menos veces"
    ).split()
)
"""Words after a number that are not units, and do not change its value in a
sentence."""
UNSPACED_SCALES = "万萬千百億亿兆十分만천백억조십"
"""Characters with which a unit never begins, because they change the number."""
LETTERS = frozenset("ghlsACFJLNVW")
"""Units of one Latin letter; other letters are variables or ambiguous."""
_SIGNS = str.maketrans(
    {"−": "-", "－": "-", "–": "-", "—": "-", "٫": ".", "٬": ",", "’": "'"}
    | {"×": "*", "·": "*", "⋅": "*", "⁄": "/", "％": "%", "٪": "%"}
    | {"、": ", ", "،": ", "}
    | dict.fromkeys("\u00a0\u202f\u2009", " ")
)
_COMMANDS = {
    **{r"\infty": "∞", r"\pi": "π", r"\theta": "θ", r"\degree": "°", r"\times": "*"},
    **{r"\cdot": "*", r"\pm": "±", r"\le": "≤", r"\leq": "≤", r"\ge": "≥"},
    **{r"\geq": "≥", r"\ne": "≠", r"\neq": "≠", r"\%": "%", r"\$": "$"},
}
_COMMAND = regex.compile(r"\\(?:[%$]|[a-zA-Z]+)")
_FORMATTING = regex.compile(
    r"\\(?:text|mathrm|mathbf|textbf|mbox|textit)\{([^{}]*)\}"
    r"|\\(?:left|right|displaystyle)(?![a-zA-Z])|\\[,;:! ()\[\]]|\*\*"
)
_RAISED = regex.compile(r"[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_PART = r"\s*(?:\{\s*(-?\d{1,3}(?:,\d{3})+|-?\d+)\s*\}|(\d))"
_RATIO = regex.compile(rf"\\[dt]?frac{_PART}{_PART}")
_VULGAR = regex.compile("[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]")
_PERCENT = regex.compile(
    r"(?<=\d)\s*(?:percent|per cent|pct|prozent|pour cent|por ciento)(?!\w)", regex.I
)
_LEADING_PERCENT = regex.compile(r"^%\s*([\d.,]+)$")


def to_plain(written: str) -> str:
    """The text in canonical notation, without LaTeX formatting."""
    text = _VULGAR.sub(_fraction, written.translate(_SIGNS))
    text = _RAISED.sub(
        lambda found: "^" + unicodedata.normalize("NFKC", found[0]), text
    )
    text = fold(text).translate(_SIGNS)
    text = _FORMATTING.sub(lambda found: found[1] or "", text.replace("{,}", ","))
    text = _RATIO.sub(_ratio, regex.sub(r"(?<=[\w}])~(?=[a-zA-Z\\])", " ", text))
    text = regex.sub(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)", "°", text)
    text = regex.sub(r"\^\s*\{\s*([+-]?\w+)\s*\}", r"^\1", text)
    text = _COMMAND.sub(lambda found: _COMMANDS.get(found[0], found[0]), text)
    text = regex.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", text)
    text = _LEADING_PERCENT.sub(r"\1%", _PERCENT.sub("%", text))
    return str(text)


def is_unit(word: str) -> bool:
    """Whether a word after a number is a unit, which does not change the value."""
    bare = word.lower()
    if bare in QUALIFIERS or is_magnitude(bare):
        return False
    is_letter = len(bare) == 1 and bool(regex.match(r"[\p{Latin}\p{Greek}]", bare))
    return not is_letter or word in LETTERS


def is_magnitude(word: str) -> bool:
    """Whether a word after a number changes its value."""
    bare = word.lower()
    return bare in MAGNITUDES or bare in MULTIPLES or bare[0] in UNSPACED_SCALES


def _ratio(found: regex.Match[str]) -> str:
    """A LaTeX fraction as a/b; an integer before it stays separate."""
    top, bottom = found[1] or found[2], found[3] or found[4]
    is_mixed = found.string[: found.start()][-1:].isdigit()
    return f"{' ' * is_mixed}{top}/{bottom}".replace(",", "")


def _fraction(sign: regex.Match[str]) -> str:
    return " " + unicodedata.normalize("NFKC", sign[0]).replace("⁄", "/")
