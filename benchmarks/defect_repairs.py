"""Kinds of defects that are repaired, each with the dirty and the clean text."""

from collections.abc import Callable

from defect_rows import Make, Row, repaired

ACCENTED = ("L’élève français a été à Noël.", "Ça, c’est où ? Dès août, même ici !")
UNSEEN = ("\u200b", "\x07", "\ufeff", "\u00ad", "\u202e")


def _garbled(*encodings: str, whole: bool = True) -> Make:
    """UTF-8 text that was decoded with these encodings, one after the other."""

    def change(row: Row, n: int) -> tuple[Row, Row]:
        tail = text = ACCENTED[n % 2]
        for encoding in encodings:
            text = text.encode().decode(encoding)
        start = before = row["fr"] + " "
        for encoding in encodings if whole else ():
            before = before.encode().decode(encoding)
        return {"fr": before + text}, {"fr": start + tail}

    return repaired(change)


def _personal(mark: str, text: Callable[[int], str]) -> Make:
    """Personal data on both sides, and the placeholder that replaces it."""

    def change(row: Row, n: int) -> tuple[Row, Row]:
        dirty, clean = (
            {side: f"{row[side]} ({shown})" for side in ("en", "fr")}
            for shown in (text(n), mark)
        )
        return dirty, clean

    return repaired(change)


def _marked(row: Row, n: int) -> tuple[Row, Row]:
    tag = ("b", "i", "span class='x'")[n % 3]
    dirty = {
        "en": f'<p class="x">{row["en"]}</p> Bread &amp; <{tag}>butter</{tag[:4]}>',
        "fr": f"<div>{row['fr']}<br/></div> Pain &amp; beurre &eacute;pais &#33;",
    }
    clean = {
        "en": f"{row['en']} Bread & butter",
        "fr": f"{row['fr']} Pain & beurre épais !",
    }
    return dirty, clean


def _unseen(row: Row, n: int) -> tuple[Row, Row]:
    return {"en": row["en"].replace("e", "e" + UNSEEN[n % len(UNSEEN)])}, {}


def _apart(row: Row, n: int) -> tuple[Row, Row]:
    text = f"{row['fr']} {n} "
    return {"fr": text + "e\u0301te\u0301s, c\u0327a"}, {"fr": text + "étés, ça"}


def _blanks(row: Row, n: int) -> tuple[Row, Row]:
    spread = row["en"].replace(" ", " \u00a0\t " + n % 5 * " ")
    return {"en": f"  {spread}\r\n", "fr": f"\u3000{row['fr']}\u2028"}, {}


def _ended(row: Row, n: int) -> tuple[Row, Row]:
    del n
    return {"fr": row["fr"] + "</s>"}, {}


def luhn(digits: str) -> str:
    """Digits and their check digit, in groups of four (ISO/IEC 7812)."""
    doubled = (int(d) * (2 - at % 2) for at, d in enumerate(reversed(digits)))
    check = -sum(sum(divmod(number, 10)) for number in doubled) % 10
    return _in_fours(f"{digits}{check}")


def iban(account: str) -> str:
    """A French IBAN of an account of 23 digits (ISO 13616)."""
    return _in_fours(f"FR{98 - int(account + '152700') % 97:02d}{account}")


def nir(body: str) -> str:
    """A French national number of 13 digits, and its key."""
    return f"{body} {97 - int(body) % 97:02d}"


def _in_fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


REPAIRS: dict[str, Make] = {
    "mojibake, cp1252": _garbled("cp1252"),
    "mojibake, latin-1": _garbled("latin-1"),
    "mojibake, cp437": _garbled("cp437"),
    "mojibake twice": _garbled("latin-1", "latin-1"),
    "mojibake beside sound text": _garbled("cp1252", whole=False),
    "tags and entities": repaired(_marked),
    "invisible characters": repaired(_unseen),
    "letters and accents apart": repaired(_apart),
    "runs of blanks": repaired(_blanks),
    "end mark of a model": repaired(_ended),
    "e-mail": _personal("[EMAIL]", lambda n: f"mary.j{n}@orchard-lane.com"),
    "telephone": _personal("[PHONE]", lambda n: f"+33 6 12 34 {n % 90 + 10} 78"),
    "card": _personal("card [CARD]", lambda n: "card " + luhn(f"453201511{n:06d}")),
    "IBAN": _personal("IBAN [IBAN]", lambda n: f"IBAN {iban(f'3000600001{n:013d}')}"),
    "IP address": _personal("IP [IP]", lambda n: f"IP 81.53.{n % 250}.17"),
    "French national number": _personal(
        "NIR [NIR]", lambda n: f"NIR {nir(f'1850578006{n:03d}')}"
    ),
    "US national number": _personal("SSN [SSN]", lambda n: f"SSN 536-22-{n + 1000}"),
    "account": _personal("[ACCOUNT]", lambda n: f"@mary_orchard{n}"),
}
"""Name → function that makes a row of the kind."""
