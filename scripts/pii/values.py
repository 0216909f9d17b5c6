"""Made-up personal data: valid where there is a checksum, written in many ways."""

import string
from collections.abc import Callable
from random import Random

from stdnum import iban, luhn
from stdnum.fr import nir

from graft.config.pii import Kind

_FIRST = (
    "marie jean luc chloé zoë anna john emily sean o'neil bob fatima li émile".split()
)
_LAST = "dupont martin garcía smith nguyen lefèvre miller kowalski brown petit".split()
_HOSTS = (
    "gmail.com orange.fr free.fr yahoo.co.uk example.org mail.univ-lyon1.fr proton.me"
    " sub.corp.example.com münchen.example xn--caf-dma.fr laposte.net acme-corp.io"
).split()


def digits(random: Random, count: int, first: str = string.digits) -> str:
    """So many digits; the first of them from `first`."""
    rest = "".join(random.choices(string.digits, k=count - 1))
    return random.choice(first) + rest


def grouped(number: str, sizes: list[int], sign: str) -> str:
    """The number in groups of these sizes."""
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return sign.join(part for part in parts if part)


def email(random: Random) -> str:
    first, last = random.choice(_FIRST), random.choice(_LAST)
    local = random.choice(
        (f"{first}.{last}", f"{first}_{last}", f"{first[0]}{last}", f"{last}{first[0]}")
    )
    local += random.choice(("", "", "", str(random.randrange(100)), "+news", "-pro"))
    if random.random() < 0.05:
        local = f'"{first} {last}"'
    if random.random() < 0.1:
        local = local.upper()
    return f"{local}@{random.choice(_HOSTS)}"


def french_phone(random: Random) -> str:
    national = random.choice("1234679") + digits(random, 8)
    if national[0] == "7":  # 070 to 072 are not in use
        national = "7" + random.choice("345678") + national[2:]
    if national[0] in "12345":  # and not every block of the others
        national = (
            random.choice(("142", "155", "240", "388", "491", "556")) + national[3:]
        )
    if national[0] == "9":
        national = "97" + random.choice("02") + national[3:]
    sign = random.choice((" ", " ", ".", "-", "", "\u00a0"))
    pairs = grouped(national[1:], [2, 2, 2, 2], sign)
    head = random.choice(
        ("0", "0", "0", "+33 ", "+33", "+33 (0)", "0033 ", "(+33) ", "+33.", "(0)")
    )
    if head == "+33." or (sign == "" and head.endswith(" ")):
        head = "+33"
    if head == "(0)":
        head = "0"
    return f"{head}{national[0]}{sign}{pairs}"


def american_phone(random: Random) -> str:
    area = random.choice(("212", "415", "312", "617", "555", "202", "713", "305"))
    exchange = random.choice("23456789") + digits(random, 2)
    line = digits(random, 4)
    form = random.choice(
        (
            "({}) {}-{}",
            "({}){}-{}",
            "{}-{}-{}",
            "{}.{}.{}",
            "+1 {} {} {}",
            "+1-{}-{}-{}",
            "+1 ({}) {}-{}",
            "1-{}-{}-{}",
            "001-{}-{}-{}",
            "+1{}{}{}",
        )
    )
    if random.random() < 0.05:
        area, form = random.choice(("800", "888", "877")), "1-{}-{}-{}"
    extension = random.choice(("", "", "", "", "x123", " ext. 4567", " x42"))
    return form.format(area, exchange, line) + extension


def foreign_phone(random: Random) -> str:
    return random.choice(
        (
            f"+44 20 7946 0{digits(random, 3)}",
            f"+44 (0)20 7946 0{digits(random, 3)}",
            f"+49 30 {digits(random, 4, '2345')} {digits(random, 4)}",
            f"+32 2 {digits(random, 3, '5')} {digits(random, 2)} {digits(random, 2)}",
            f"+41 44 {digits(random, 3, '23')} {digits(random, 2)} {digits(random, 2)}",
            f"+34 91{digits(random, 1)} {digits(random, 3)} {digits(random, 3)}",
            f"+39 06 {digits(random, 4, '5678')} {digits(random, 4)}",
            f"0044 7911 {digits(random, 6)}",
        )
    )


def phone(random: Random) -> str:
    make = random.choice(
        (french_phone, french_phone, american_phone, american_phone, foreign_phone)
    )
    return make(random)


def bank_account(random: Random) -> str:
    country, form = random.choice(
        (("FR", "n23"), ("FR", "n10c11n2"), ("DE", "n18"), ("GB", "a4n14"),
         ("ES", "n20"), ("BE", "n12"), ("NL", "a4n10"),
         ("CH", "n17"), ("LU", "n16"), ("PT", "n21"))
    )  # fmt: skip
    bban, at = "", 0
    while at < len(form):
        sort, end = form[at], at + 1
        while end < len(form) and form[end].isdigit():
            end += 1
        chars = {"n": string.digits, "a": string.ascii_uppercase}.get(
            sort, string.digits * 3 + string.ascii_uppercase
        )
        bban += "".join(random.choices(chars, k=int(form[at + 1 : end])))
        at = end
    number = country + iban.calc_check_digits(country + "00" + bban) + bban
    written = grouped(number, [4] * 9, random.choice((" ", " ", "", "-", "\u00a0")))
    return written.lower() if random.random() < 0.1 else written


def card(random: Random) -> str:
    prefix, length, sizes = random.choice(
        (("4", 16, [4] * 4), ("51", 16, [4] * 4), ("55", 16, [4] * 4),
         ("2221", 16, [4] * 4),
         ("34", 15, [4, 6, 5]), ("37", 15, [4, 6, 5]), ("6011", 16, [4] * 4),
         ("36", 14, [4, 6, 4]), ("3530", 16, [4] * 4))
    )  # fmt: skip
    number = prefix + digits(random, length - len(prefix) - 1)
    number += luhn.calc_check_digit(number)
    return grouped(number, sizes, random.choice((" ", " ", "-", "", ".")))


def ip(random: Random) -> str:
    if random.random() < 0.6:
        rest = ".".join(str(random.randrange(256)) for _ in range(2))
        first = random.choice((82, 91, 176, 212, 51, 34, 8))
        return f"{first}.{random.randrange(64, 250)}.{rest}"
    groups = [f"{random.randrange(65536):x}" for _ in range(6)]
    head = random.choice(("2001:41d0", "2a01:e0a", "2606:4700", "2001:0db8"))
    whole = f"{head}:{':'.join(groups)}"
    return random.choice(
        (whole, whole.upper(), f"{head}::{groups[0]}", f"{head}:{groups[1]}::1")
    )


def french_person(random: Random) -> str:
    place = random.choice(("75", "13", "69", "2A", "2B", "97", "59", "33", "99"))
    number = (
        random.choice("12")
        + f"{random.randrange(100):02}{random.randrange(1, 13):02}{place}"
        + digits(random, 6)
    )
    number += nir.calc_check_digits(number)
    return grouped(
        number, [1, 2, 2, 2, 3, 3, 2], random.choice((" ", " ", "", ".", "-"))
    )


def american_person(random: Random) -> str:
    area = random.choice([area for area in range(1, 900) if area != 666])
    return f"{area:03}-{random.randrange(1, 100):02}-{random.randrange(1, 10000):04}"


def taxpayer(random: Random) -> str:
    groups = [*range(50, 66), *range(70, 89), 90, 91, 92, *range(94, 100)]
    return f"{random.randrange(900, 1000)}-{random.choice(groups)}-{digits(random, 4)}"


def account(random: Random) -> str:
    first, last = (
        name.replace("'", "") for name in (random.choice(_FIRST), random.choice(_LAST))
    )
    name = random.choice(
        (f"{first}_{last}", f"{first}{last}{random.randrange(100)}", f"{last}.{first}")
    )
    return "".join(char for char in name if char.isascii())


VALUES: dict[Kind, Callable[[Random], str]] = {
    "email": email,
    "phone": phone,
    "iban": bank_account,
    "card": card,
    "ip": ip,
    "nir": french_person,
    "ssn": american_person,
    "itin": taxpayer,
    "account": account,
}
