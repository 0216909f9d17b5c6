"""What looks like personal data and is not: dates, versions, numbers of things."""

from random import Random

from stdnum import ean, isbn, luhn

from pii.values import digits, grouped


def noise(  # pylint: disable=too-many-return-statements,too-many-branches
    name: str, size: int, random: Random
) -> str:
    """A made-up value of the named sort, of `size` characters where it has a size."""
    match name:
        case "n":
            return digits(random, size, "123456789")
        case "n8":
            return str(random.randrange(256))
        case "v":
            return str(random.randrange(25))
        case "hex":
            return "".join(random.choices("0123456789abcdef", k=size))
        case "mac":
            return ":".join(f"{random.randrange(256):02x}" for _ in range(6))
        case "year":
            return str(random.randrange(1850, 2030))
        case "time":
            hour, minute = random.randrange(24), random.randrange(60)
            return random.choice(
                (
                    f"{hour:02}:{minute:02}:{random.randrange(60):02}",
                    f"{hour:02}:{minute:02}",
                )
            )
        case "date":
            day, month, year = (
                random.randrange(1, 29),
                random.randrange(1, 13),
                random.randrange(1990, 2030),
            )
            return random.choice(
                (
                    f"{year}-{month:02}-{day:02}",
                    f"{day:02}/{month:02}/{year}",
                    f"{day:02}.{month:02}.{year}",
                )
            )
        case "expiry":
            year = random.randrange(25, 36)
            return f"{random.randrange(1, 13):02}/{random.choice(('', '20'))}{year}"
        case "lat" | "lon":
            return f"{random.uniform(-90, 90):.{random.randrange(4, 8)}f}"
        case "price":
            return f"{random.randrange(1, 2000)}.{random.randrange(100):02}"
        case "thousands":
            number = random.randrange(10**6, 10**10)
            return f"{number:,}".replace(",", random.choice((",", " ", "\u202f", ".")))
        case _:
            return _checked(name, random)


def _checked(name: str, random: Random) -> str:
    """Numbers of books, goods and firms, with their check digits."""
    if name == "isbn10":
        number = isbn.to_isbn10(_book(random))
        return random.choice((number, isbn.format(number, "-")))
    if name == "isbn13":
        return random.choice((_book(random), isbn.format(_book(random), "-")))
    if name == "ean":
        number = digits(random, 12, "345")
        return number + ean.calc_check_digit(number)
    siren = digits(random, 8, "3456789")
    siren += luhn.calc_check_digit(siren)
    if name == "siret":
        number = siren + "0001" + digits(random, 1)
        number = number[:13] + luhn.calc_check_digit(number[:13])
        return random.choice((number, grouped(number, [3, 3, 3, 5], " ")))
    if name == "siren":
        return random.choice((siren, grouped(siren, [3, 3, 3], " ")))
    raise ValueError(f"no sort of noise is named {name}")


def _book(random: Random) -> str:
    number = "978" + random.choice(("2", "0", "1")) + digits(random, 8)
    return number + ean.calc_check_digit(number)
