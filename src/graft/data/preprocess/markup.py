"""Removes HTML tags and entities from text that was taken from a web page.

A text counts as HTML only if every tag in it is one: known names and attributes, as
many end tags as start tags, none mentioned as a word of a sentence. Otherwise it is
left
unchanged: `List<Form>`, XML, JSX and `<think>` stay. So does text that is code, or is
about code or markup (`are_technical`).
"""

import html
import re
from functools import lru_cache

import polars as pl

# Elements whose end tag is optional, or that have none. `s` is not included: <s> and
# </s> are control tokens of many models.
_OPEN_ENDED = "p|li|dt|dd|option|thead|tbody|tfoot|tr|td|th"
_VOID = "br|hr|img|input|meta|link|wbr"
_BLOCK = (
    f"{_OPEN_ENDED}|br|hr|address|article|aside|blockquote|body|button|caption|center"
    "|div|dl|fieldset|figcaption|figure|footer|form|h[1-6]|head|header|html|iframe"
    "|input|label|link|main|meta|nav|ol|pre|section|select|table|title|ul"
)
_INLINE = (
    "a|abbr|b|big|cite|code|del|em|font|i|img|ins|kbd|mark|q|small|span|strike|strong"
    "|sub|sup|tt|u|wbr"
)
_ATTRIBUTE = (
    r"\s+(?:(?:accesskey|action|align|alt|bgcolor|border|cellpadding|cellspacing"
    r"|charset|cite|class|color|cols(?:pan)?|content|data-[\w-]+|datetime|dir|face|for"
    r"|height|href|hreflang|id|itemprop|itemscope|itemtype|lang|loading|media|method"
    r"|name|nowrap|placeholder|property|rel|role|rows(?:pan)?|scope|size|sizes|src"
    r"|srcset|start|style|summary|tabindex|target|title|type|valign|value|width"
    r"|xml:lang|xmlns|aria-[\w-]+)"
    r"""(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`{}]+))?)"""
)
_LIKE_TAG = re.compile(r"</?[A-Za-z][\w:.-]*(?:\s[^<>]*)?/?>|<[!?%]\w|<>|</>")
_REST = rf"(?:{_ATTRIBUTE})*\s*/?>"
_TAG = re.compile(rf"(?i)<(/?)({_BLOCK}|{_INLINE}){_REST}")
_LINE_TAG = re.compile(rf"(?i)</?(?:{_BLOCK}){_REST}")
_BEGINS_LINE = re.compile(rf"(?im)^</?(?:{_BLOCK}){_REST}")
_INLINE_TAG = re.compile(rf"(?i)</?(?:{_INLINE}){_REST}")
_UNSEEN = re.compile(r"(?is)<(script|style)\b[^<>]*>.*?</\1\s*>|<!--.*?-->")
_MAY_BE_UNSEEN = re.compile("(?i)<(?:!--|script|style)")
_BEFORE_WORD = re.compile(r"<[^<>]+>(?=[^\S\n]+[^\s<]|[,.;:!?)\"'])")
_BEGINS_PAGE = re.compile(rf"(?i)\s*<(?:{_BLOCK})[\s>]")
_END_MARK = re.compile(r"(?<=[^\s<>`'\"(])</s>\s*\Z")
_NEED_NO_END = frozenset(f"{_OPEN_ENDED}|{_VOID}".split("|"))
_FIELDS = frozenset(
    "abbr address article aside body button caption cite code figure footer form head"
    " header input label link main mark option q section select table title".split()
)
"""Elements that are also used as fields of an answer in XML: <label>spam</label>."""
ENTITY = r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]\w*);"
_ENTITY = re.compile(ENTITY)


# Words about markup or code, and signs of code itself. Word boundaries are those of
# ASCII, since those of Unicode are slow in the native engine.
_EDGE = r"(?-u:\b)"
_TECHNICAL = (
    rf"(?im)^[ \t]*(?:```|~~~)|`[^`\n]+`|\|[ :]*-{{3,}}|тег|{_EDGE}(?:x?html5?|xml|css"
    r"|jsx|tsx|svg|php|javascript|typescript|markdown|markup|code|snippets?|tags?"
    rf"|balises?|etiquetas?|znacznik|tokens?|regex|attributes?){_EDGE}"
    r"|[A-Za-z0-9_)\]\"'];[ \t]*$|[{}]|=>|->|::|[=!]=|&&|\|\||\(\)|\$[A-Za-z_]|#include"
    r"|#!/|<<-?['\"]?[A-Z_]{2,}"
    rf"|{_EDGE}(?:def|fn|func|function|class|public|private|import|const|let|var)"
    r"[ \t]+[A-Za-z0-9_]+[ \t]*[({=:;<]"
)
_TAGS_AND_ADDRESSES = (
    r"(?is)<(?:script|style)\b.*?</(?:script|style)>|<!--.*?-->|<[^<>]*>"
    r"|https?://[^ \t\n]+|&#?[a-z0-9]+;"
)


def are_technical(texts: pl.Series) -> pl.Series:
    """Whether a text is code, or is about code or markup; the text inside its tags does
    not count. Shape [texts]."""
    bare = texts.str.replace_all(_TAGS_AND_ADDRESSES, " ")
    return bare.str.contains(_TECHNICAL)


def strip_markup(text: str) -> str:
    """A text without HTML: a space replaces tags that end a line, entities are
    resolved."""
    if "</s>" in text and "<s>" not in text:
        text = _END_MARK.sub("", text)
    if _is_page(text):
        text = _BEGINS_LINE.sub("", _without_unseen(text))
        text = _INLINE_TAG.sub("", _LINE_TAG.sub(" ", text))
    if "&" not in text:
        return text
    plain = html.unescape(text)
    # `&lt;b&gt;` mentions a tag and must not become one, nor `&amp;lt;` an entity.
    if _ENTITY.search(plain) or _is_page(plain):
        return _ENTITY.sub(_unless_sign, text)
    return plain


def _is_page(text: str) -> bool:
    """Whether a text has tags, and all of them are HTML."""
    if "<" not in text:
        return False
    text = _without_unseen(text)
    counts: dict[str, int] = {}
    names = set[str]()
    found = _LIKE_TAG.findall(text)
    for like in found:
        tag = _read_tag(like)
        if tag is None:
            return False
        name, step = tag
        names.add(name)
        if name in _NEED_NO_END:
            continue
        counts[name] = counts.get(name, 0) + step
        if counts[name] < 0:
            return False
    if not found or any(counts.values()):
        return False
    if names <= _FIELDS and text.lstrip()[0] == "<" and text.rstrip()[-1] == ">":
        return False
    return bool(_BEGINS_PAGE.match(text)) or not _is_mentioned(text)


@lru_cache(4096)
def _read_tag(like: str) -> tuple[str, int] | None:
    """Name of an HTML tag, and 1 for a start tag or -1 for an end tag."""
    tag = _TAG.fullmatch(like)
    return tag and (tag[2].lower(), -1 if tag[1] else 1)


def _without_unseen(text: str) -> str:
    """Without comments, scripts and styles."""
    return _UNSEEN.sub(" ", text) if _MAY_BE_UNSEEN.search(text) else text


def _is_mentioned(text: str) -> bool:
    """Whether a tag is used as a word of a sentence."""
    return any(
        _read_tag(found[0]) and _is_behind_word(text[: found.start()])
        for found in _BEFORE_WORD.finditer(text)
    )


def _is_behind_word(before: str) -> bool:
    """Whether a text ends with a word, not a tag, and blanks."""
    words = before.rstrip()
    gap = before[len(words) :]
    return bool(words and gap) and words[-1] != ">" and "\n" not in gap


def _unless_sign(entity: re.Match[str]) -> str:
    sign = html.unescape(entity[0])
    return entity[0] if sign in ("<", ">", "&") else sign
