"""What a file holds, by its first bytes: its name may say anything."""

import codecs
import re

HEAD = 1 << 16
"""Bytes that are looked at."""

_PACKINGS = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "zip": re.compile(rb"PK\x03\x04"),
}
_BINARY = rb"(?=.{0,64}[\x00-\x08])"
"""What tells a sign of letters from a text that begins with the same letters."""

_FORMATS = (
    ("Parquet", rb"PAR[1E]" + _BINARY),
    (
        "an Arrow or Feather file",
        rb"(?:ARROW1|FEA1)" + _BINARY + rb"|\xff\xff\xff\xff.{2}\x00\x00",
    ),
    ("ORC", rb"ORC" + _BINARY),
    ("Avro", rb"Obj\x01"),
    ("a PDF", rb"%PDF-"),
    ("a pickle, which could run code when it is opened", rb"\x80[\x02-\x05]"),
    ("NumPy's", rb"\x93NUMPY"),
    ("HDF5", rb"\x89HDF"),
    ("an SQLite database", rb"SQLite format 3\x00"),
    ("an old Office document", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("an image", rb"\x89PNG|\xff\xd8\xff|GIF8[79]a"),
    ("a 7z archive", rb"7z\xbc\xaf\x27\x1c"),
    ("a RAR archive", rb"Rar!\x1a"),
    ("packed with lz4", rb"\x04\x22\x4d\x18|\x02\x21\x4c\x18"),
    ("packed with compress", rb"\x1f\x9d"),
    ("packed with Snappy", rb"\xff\x06\x00\x00sNaPpY"),
    ("an empty zip archive", rb"PK\x05\x06"),
    ("a tar archive", rb".{257}ustar"),
    (
        "a pointer of Git LFS, not the data (git lfs pull fetches it)",
        rb"version https://git-lfs\.github\.com/spec/",
    ),
    (
        "a web page, perhaps an error that was saved in place of the data",
        rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,2000}?-->\s*)?"
        rb"<(?:!doctype\s+html|html|head|body)[\s>]",
    ),
    (
        "an XML document",  # those that format sgm reads have a root of these names
        rb"(?:\xef\xbb\xbf)?\s*<\?xml\s[^>]*>\s*(?:<!doctype[^>]*>\s*)?"
        rb"(?!<(?:srcset|refset|tstset|mteval|dataset|doc)\b)<",
    ),
)
_KNOWN = [
    (name, re.compile(signs, re.DOTALL | re.IGNORECASE if b"<" in signs else re.DOTALL))
    for name, signs in _FORMATS
]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32's begins as UTF-16's does, so it goes first."""


def packing(head: bytes) -> str | None:
    """How a file is packed, if it is."""
    return next((name for name, sign in _PACKINGS.items() if sign.match(head)), None)


def other_format(head: bytes) -> str | None:
    """What it is, if that is surely no text of rows."""
    return next((name for name, signs in _KNOWN if signs.match(head)), None)


def marked_encoding(head: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    return None


def doubt(head: bytes, encoding: str) -> str | None:
    """Why the text cannot be of this encoding, if its zero bytes say so."""
    wide = encoding.startswith(("utf-16", "utf-32"))
    zeros = head.count(0)
    if wide:
        return None if zeros or not _is_utf8(head) else "has no zero byte, as UTF-8 has"
    if zeros < 8 or zeros * 20 < len(head):  # a few may stand in any text
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 4 * min(even, odd):
        name = "utf-16-be" if even > odd else "utf-16-le"
        return f"has every other byte zero, as {name} has"
    if head[:3] == b"\0\0\0" or head[1:4] == b"\0\0\0":
        return "has three of four bytes zero, as utf-32 has"
    return "is full of zero bytes; it is no text"


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return bool(head)
