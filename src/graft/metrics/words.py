"""Words of any script.

In scripts without spaces between words (Han, Kana, Thai, Lao, Khmer, Myanmar, Tibetan
and others), each character with its combining marks is a word, as in SacreBLEU's
tokenizer `zh` and the evaluation of MLQA (Lewis et al. 2020, arXiv:1910.07475). This
needs no dictionary, and the score does not depend on a segmenter.
"""

import unicodedata

import regex

UNSPACED_SCRIPTS = (
    *("Han", "Hiragana", "Katakana", "Bopomofo", "Thai", "Lao", "Khmer", "Myanmar"),
    *("Tibetan", "Javanese", "Balinese", "Tai_Tham", "Tai_Le", "New_Tai_Lue", "Yi"),
)
_UNSPACED = "".join(rf"\p{{{name}}}" for name in UNSPACED_SCRIPTS) + "ー"
_UNSPACED_SIGN = regex.compile(
    rf"(?=[{_UNSPACED}]|[\p{{P}}&&[\u3000-\u303f\uff00-\uffef]])\X", regex.V1
)
_WIDE = regex.compile(r"[\uff01-\uffef]+")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+")
_DIGIT = regex.compile(r"(?![0-9])\p{Nd}")
_LATIN = regex.compile(r"\p{Latin}")
_LETTER = regex.compile(r"\p{L}")


def is_unspaced(text: str) -> bool:
    """Whether the text contains a script without spaces between words."""
    return not text.isascii() and bool(_UNSPACED_SIGN.search(text))


def spaced(text: str) -> str:
    """The text with spaces around each character of a script without spaces.

    A text without such characters is returned unchanged.
    """
    return text if text.isascii() else str(_UNSPACED_SIGN.sub(r" \g<0> ", text))


def fold(text: str) -> str:
    """The text composed (NFC), with half-width characters and digits 0 to 9."""
    if text.isascii():
        return text
    text = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    text = _DIGIT.sub(lambda found: str(unicodedata.digit(found[0])), text)
    return unicodedata.normalize("NFC", text)


def to_words(text: str) -> list[str]:
    """Words in lower case with accents, without punctuation."""
    return [*_WORD.findall(spaced(fold(text).lower()))]


def latin_share(texts: list[str]) -> float:
    """Share of Latin letters, in 0..1; 1 if there are no letters."""
    num_letters = sum(len(_LETTER.findall(text)) for text in texts)
    num_latin = sum(len(_LATIN.findall(text)) for text in texts)
    return num_latin / num_letters if num_letters else 1.0
