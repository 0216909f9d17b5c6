"""E-mail and IP addresses."""

import ipaddress
import re

from graft.data.preprocess.pii.cues import cue
from graft.data.preprocess.pii.finding import Finding, Found

_DOMAIN = (
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})"
)
_EMAIL = re.compile(
    r"""(?<![\w+%@])(?:"[^"\n@]{1,62}"|[\w+%](?:[\w.+'%-]{0,63}?))(?:@|%40)"""
    rf"{_DOMAIN}(?![^\W_]|@)",
    re.IGNORECASE,
)
_ELIDED = re.compile(r"(?:[cdjlmnst]|qu)'(?=\w)", re.IGNORECASE)
_NOT_DOMAINS = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|pdf|js|ts|css|py|java|html?|txt|zip|mp[34]|json)$",
    re.IGNORECASE,
)
_DOT = r"(?: ?[\[({<] ?(?:dot|point) ?[\])}>] ?| dot | point |\.)"
_SPELT_DOT = r"(?: ?[\[({<] ?(?:dot|point) ?[\])}>] ?| dot | point )"
_ENDS = "(?:com|net|org|fr|eu|be|ch|ca|uk|us|de|io|info|edu|gov)"
_HIDDEN = re.compile(
    r"(?<![\w.+-])[\w+][\w.+-]{0,63}"
    r"(?: ?[\[({<] ?(?:at|arobase|@) ?[\])}>] ?"
    rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{2,63}}){{1,4}}"
    r"| (?:at|arobase) "
    rf"[\w-]{{1,63}}(?:{_SPELT_DOT}[\w-]{{2,63}}){{0,3}}{_SPELT_DOT}{_ENDS}"
    rf"| arobase {_DOMAIN}|(?: @ ?|@ ){_DOMAIN})(?!\w)",
    re.IGNORECASE,
)
_IPV4 = re.compile(
    r"(?:(?<![^\W_])|(?<=\\[nrt]))(?<!\d\.)(?:\d{1,3}\.){3}\d{1,3}"
    r"(?![^\W_]|\.\d)(?P<bits>/\d\d?(?![\w/]|\.\d))?"
)
_IPV6 = re.compile(
    r"(?<![\da-f])(?<!\d\.)(?<!\w[\da-f]:)"
    r"(?=[\da-f:]*:[\da-f:]*:)[\da-f:]{3,40}(?![^\W_])",
    re.IGNORECASE,
)
_COUNTRY = re.compile(r"(?:\+|(?<!\d)00)\d{1,3}[ -]$")
_PRODUCT = re.compile(r"[^\W\d_]/$")
_LEAST_OCTET = 64
"""Version and section numbers rarely have a number as large; most addresses do."""


def emails(text: str) -> Found:
    """E-mail addresses."""
    for match in _EMAIL.finditer(text):
        start, end = match.span()
        if _NOT_DOMAINS.search(match[0]) or _in_userinfo(text, start):
            continue
        if match[0].lower().startswith("git@") and text[end : end + 1] == ":":
            continue
        if elided := _ELIDED.match(match[0]):
            start = elided.end() + start
        yield Finding("email", start, end, True, "address")


def hidden_emails(text: str) -> Found:
    """Addresses that are obfuscated against crawlers: all are borderline."""
    for match in _HIDDEN.finditer(text):
        if not _NOT_DOMAINS.search(match[0]):
            yield Finding("email", *match.span(), False, "spelt-out address")


def _in_userinfo(text: str, at: int) -> bool:
    """Whether it is `name:secret@host` after a scheme: a login, not an e-mail."""
    scheme = text.rfind("://", 0, at)
    return scheme >= 0 and not re.search(r"[/?#\s]", text[scheme + 3 : at])


def ips(text: str) -> Found:
    """Addresses of the public Internet, and those reserved for documentation.

    Private, loopback, link-local, multicast and unspecified ones identify nobody.
    """
    for match in _IPV4.finditer(text):
        start, end = match.start(), match.end()
        bits = match["bits"] or ""
        end -= len(bits)
        parts = text[start:end].split(".")
        octets = [int(part) for part in parts]
        if any(part != str(int(part)) for part in parts):  # pairs of a number, as 01
            continue
        if max(octets) > 255 or _COUNTRY.search(text[max(0, start - 6) : start]):
            continue
        if _is_network(text[start:end], bits):
            continue
        address = ipaddress.IPv4Address(bytes(octets))
        named = cue(text, start, end)
        if not _is_public(address) or named == "version":
            continue
        large = max(octets) >= _LEAST_OCTET
        # A name before and a letter after indicate a version: nginx/1.22.0.1-rc
        product = _PRODUCT.search(text[max(0, start - 2) : start])
        if not large and (product or re.match(r"-[a-z]", text[end : end + 2])):
            continue
        sure = named == "ip" or large and not (product and ".0." in match[0])
        yield Finding("ip", start, end, sure, "may be a version")
    for match in _IPV6.finditer(text):
        start, end = match.span()
        start += match[0][0] == ":" != match[0][1]  # a label's colon, or the sentence's
        end -= match[0][-1] == ":" != match[0][-2]
        spelt = text[start:end]
        try:
            address6 = ipaddress.IPv6Address(spelt)
        except ValueError:
            continue
        # Short forms outside of the assigned range are rarely addresses.
        assigned = address6 in ipaddress.IPv6Network("2000::/3")
        long = max(map(len, spelt.split(":"))) > 2  # 1:2:3 may be a book reference
        if _is_public(address6) and long and (assigned or spelt.count(":") >= 5):
            yield Finding("ip", start, end, True, "address")


def _is_network(address: str, bits: str) -> bool:
    """Whether `bits`, such as /24, make it the address of a network, not of a host."""
    if not bits or int(bits[1:]) > 31:
        return False
    try:
        ipaddress.IPv4Network(address + bits)
    except ValueError:  # bits of a host are set
        return False
    return True


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if any(address in network for network in _DOCUMENTATION[address.version]):
        return True
    return not (
        address.is_private
        or address.is_multicast
        or address.is_reserved
        and address.version == 4
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


_DOCUMENTATION = {
    4: [
        ipaddress.ip_network(f"{net}.0/24")
        for net in ("192.0.2", "198.51.100", "203.0.113")
    ],
    6: [ipaddress.ip_network("2001:db8::/32")],
}
