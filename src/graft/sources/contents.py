"""The format of a file by its first bytes; its name may be misleading."""

import codecs
import re

HEAD = 1 << 16
"""Number of bytes that are examined."""

_PACKINGS = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "zip": re.compile(rb"PK\x03\x04"),
}
_BINARY = rb"(?=.{0,64}[\x00-\x08])"
"""Distinguishes a signature of letters from a text that begins with the same letters.
"""

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
        "an XML document",  # except those with the root elements of format sgm
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
"""Byte order marks; that of UTF-32 begins like that of UTF-16, so it comes first."""


def packing(head: bytes) -> str | None:
    """The compression of a file, or None."""
    return next((name for name, sign in _PACKINGS.items() if sign.match(head)), None)


def other_format(head: bytes) -> str | None:
    """The format of a file that is certainly not text, or None."""
    return next((name for name, signs in _KNOWN if signs.match(head)), None)


def marked_encoding(head: bytes) -> str | None:
    """The encoding of a byte order mark, or None."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def doubt(head: bytes, encoding: str) -> str | None:
    """Why the text cannot have this encoding, judged by its zero bytes; or None."""
    wide = encoding.startswith(("utf-16", "utf-32"))
    zeros = head.count(0)
    if wide:
        return None if zeros or not _is_utf8(head) else "has no zero byte, like UTF-8"
    if zeros < 8 or zeros * 20 < len(head):  # a few may occur in any text
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 4 * min(even, odd):
        name = "utf-16-be" if even > odd else "utf-16-le"
        return f"has a zero in every other byte, like {name}"
    if head[:3] == b"\0\0\0" or head[1:4] == b"\0\0\0":
        return "has zeros in three of four bytes, like utf-32"
    return "is full of zero bytes, and not text"


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return bool(head)
