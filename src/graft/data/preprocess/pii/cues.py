"""Words near a number that indicate its kind."""

import re
from typing import Literal, cast

Cue = Literal["phone", "card", "iban", "social", "tax", "ip", "version", "other"]

# English and French, folded. The nearest word before a number counts: in "phone of
# order 555-234-5678" it is the number of an order.
_WORDS: dict[Cue, str] = {
    "phone": (
        r"(?:tele|smart|cell|mobile)?phone(?:s|no|num(?:ber)?)?|(?:tel|mobile)number"
        r"|t[ée]l[ée](?:phon|fon)\w+|t[ée]l|mob(?:ile)?|cell"
        r"|cellulaire|portable|gsm|tele?fax|fax|call(?:ed|ing)?|appel\w*|rappel\w*"
        r"|joi(?:ndre|gn\w+)|contact\w*|reach(?:ed|able)?|dial\w*|sms|text(?:ed)? me"
        r"|texto|whats ?app|telegram|hotline|ring|voice ?mail|standard|ligne directe"
        r"|direct line|landline|n(?:um[ée]ro|°) vert|pager|messages? (?:on|to)"
        r"|reach out(?: to)?|(?:my|his|her|our|their|your)"
        r"(?: (?:new|old|home|work|office|private|personal|direct|registered))? number"
        r"|(?:mon|son|notre|votre|leur|ton) num[ée]ro|telefon|telefoon"
        r"|handy(?:nummer)?|mobil(?:telefon|nummer|e)?|rufnummer|m[óo]vil|celular"
        r"|cellulare|tlf|tfn|telefax"
    ),
    "card": (
        r"(?:credit|debit)?card(?:s|no|num(?:ber)?)?|cartes?|cb|visa|master ?card|amex"
        r"|american express|maestro|discover|diners|jcb|credit|d[ée]bit"
        r"|cc(?: ?(?:no|num|number|#))?|pan|cvv2?|cvc"
        r"|expir(?:es?|y|ation)|exp"
    ),
    "iban": r"ibans?|rib|bank|banque|bancaire|virements?|wire|bic|swift",
    "social": (
        r"ssns?|socials?|soc\.? sec\.?|ss ?(?:#|no\b|n°)|s[ée]cu|sociale|nir|insee"
        r"|assur[ée]e?s?|vitale"
    ),
    "tax": r"i?tins?|taxpayer|tax(?:es)?",
    "ip": (
        r"ip(?:v[46]|addr(?:ess)?)?|ips|servers?|serveurs?|hosts?|h[ôo]tes?|ping(?:ed)?"
        r"|dns|gateway"
        r"|passerelle|routers?|routeurs?|firewall|pare-feu|address(?:es)?|adresses?"
        r"|connect\w*|connexions?|log(?:ged|in|s)?|traffic|trafic|vpn|proxy|ssh"
        r"|network|r[ée]seau|requests?|requ[êe]tes?|client|machine|node|visitors?"
    ),
    "version": (
        r"v|ver|versions?|releases?|build|firmware|microcode|sections?|sect|chapters?"
        r"|chapitres?|chap|articles?|art|figures?|fig|clauses?|paragraphs?|§|oid"
        r"|drivers?|pilotes?|sdk|kernel|noyau|patch|update|upgrade[ds]?|release"
    ),
    "other": (
        r"orders?|commandes?|ref|references?|r[ée]f|r[ée]f[ée]rences?|invoices?"
        r"|factures?|tracking|suivi|colis|parcel|shipment|exp[ée]dition|isbn|issn|ean"
        r"|upc|gtin|sku|asin|serial|s[ée]rie|contra(?:ct|t)s?|tickets?|dossier|siret"
        r"|siren|tva|vat|doi|arxiv|patents?|brevet|part|mod[eè]le?|case|docket|affaire"
        r"|(?:customer|client|member|patient|student|employee|account)"
        r"(?: (?:number|no|id|code|n°)|s? ?#)"
        r"|(?:num[ée]ro|n°|code|id)(?: de)? (?:client|membre|patient"
        r"|adh[ée]rent|dossier)"
        r"|bookings?|r[ée]servation|flight|vol|transactions?|batch|lot|products?"
        r"|produits?|item|stock|imei|bar ?code|code-barres|zip|postal|coord\w*"
        r"|lat(?:itude)?|lon(?:g|gitude)?|gps|population|timestamps?|unix|epoch|hash"
        r"|checksum|seed|licen[cs]e|plate|plaque|passports?|passeport|isin|id|uuid"
        r"|loto|lotter(?:y|ies)|bingo|tirage"
        r"|receipt|re[çc]u|record|catalog(?:ue)?|barcode|coupon|promo|voucher"
    ),
}
# Matched against lower-case windows: ignoring case is several times slower.
_CUES = re.compile(
    "|".join(
        rf"(?P<{name}>(?<![^\W_])(?<!\.)(?:{words})(?![^\W_]))"
        for name, words in _WORDS.items()
    )
)
_AGAINST = ("other", "version")
# Not an abbreviation's dot, as in "order num. 12".
_ENDS = re.compile(
    r"(?<!\w)(?!n[uo]m|ref|r[ée]f|sect|chap|fig|art|vers?\b)\w{3,}[.!?…]\s"
)
_BEFORE, _AFTER, _OTHER, _WORD = 45, 25, 25, 15
"""Numbers of characters searched before and after a number; a cue against personal data
must be within _OTHER."""


def cue(text: str, start: int, end: int, before: int = _BEFORE) -> Cue | None:
    """The kind of number that words around text[start:end] indicate, or None.

    The nearest word before counts; if there is none, the first one after.
    """
    name: str | None = None
    window = text[max(0, start - before) : start].lower()
    for match in _CUES.finditer(window):
        if match.lastgroup in _AGAINST and (
            len(window) - match.end() > _OTHER or _ENDS.search(window, match.end())
        ):
            continue
        name = match.lastgroup
    if name is None and before == _BEFORE:
        after = text[end : end + _AFTER + _WORD].split("\n", 1)[0].lower()
        first = _CUES.search(after)
        if first and first.start() < _AFTER and first.lastgroup != "other":
            name = first.lastgroup
    return cast("Cue | None", name)


# Words that count only directly before or after a number.
_LABEL_BEFORE = re.compile(
    r"(?<![^\W_])(?:office|desk|home|work|direct|business|evening|day(?:time)?|main"
    r"|mob|ph|bureau|domicile|travail|maison|[tmpfhocw])\.?[\"')]{0,2} ?[:=] ?[\"'(]?$"
)
_LABEL_AFTER = re.compile(
    r"[\"']? ?[-/,(\[|\\]{0,2} ?(?:office|desk|home|work|direct|mobile|cell|fax|tel"
    r"|phone|mob|gsm|bureau|domicile|portable|maison|travail)(?=\s*(?:$|[^\w\s]|\n))"
)
_FIELD = re.compile(
    r"(?:(?:phone|tel|mobile|cell|msisdn|fax|whatsapp|sms)\w{0,10}(?:=|%3d|:)"
    r"|wa\.me/)(?:\+|%2b)?$"
)


def is_phone_label(text: str, start: int, end: int) -> bool:
    """Whether a label such as "office:" before or "-home" after indicates a phone."""
    before = text[max(0, start - 14) : start].lower()
    after = text[end : end + 16].lower()
    return bool(_LABEL_BEFORE.search(before) or _LABEL_AFTER.match(after))


def is_phone_field(text: str, start: int) -> bool:
    """Whether it is the value of a URL parameter such as `?phone=`."""
    return bool(_FIELD.search(text[max(0, start - 25) : start].lower()))


def in_url(text: str, at: int) -> bool:
    """Whether the character is in a URL, after its scheme."""
    begin = max(text.rfind(blank, 0, at) for blank in " \n\"'<(") + 1
    return "://" in text[begin:at]
