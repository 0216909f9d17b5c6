"""What is recognised as personal data, by its form and the words around it."""

import polars as pl
import pytest

from graft.config.pii import Kind
from graft.data.preprocess.pii.finding import Finding
from graft.data.preprocess.pii.folding import fold
from graft.data.preprocess.pii.prefilter import names, traits
from graft.data.preprocess.pii.recognise import recognise


def find(text: str) -> list[tuple[Kind, str, bool]]:
    """Kinds and texts of what is found, and whether it is sure."""
    plain = fold(text)
    seen = names(traits(pl.Series([text])))[0]
    found: list[Finding] = recognise(plain.text, seen, ["FR", "US"])
    spans = [(one, plain.original(one.start, one.end)) for one in found]
    return [(one.kind, text[start:end], one.sure) for one, (start, end) in spans]


@pytest.mark.parametrize(
    ("kind", "before", "found", "after"),
    [
        ("email", "write to ", "Jean.Dupont+news@mail.example.fr", "."),
        ("email", "", '"jean dupont"@example.org', ", thanks"),
        ("email", "à l'adresse d'", "élise@münchen.example", " !"),
        ("email", "From: <", "A@B.CO.UK", ">"),
        ("email", "mailto:", "a.b@c.io", "?subject=x"),
        ("email", "\uff1a", "bob\uff20example.com", "\u3002"),
        ("phone", "le ", "06.12.34.56.78", "."),
        ("phone", "", "06 12 34 56 78", " ou "),
        ("phone", "", "06\u00a012\u00a034\u00a056\u00a078", ""),
        ("phone", "", "06\u201112\u201134\u201156\u201178", ""),
        (
            "phone",
            "",
            "\uff10\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
            "",
        ),
        ("phone", "", "06 12\u00ad 34 56 78", " (soft hyphen)"),
        ("phone", "au ", "+33 (0)6 12 34 56 78", ""),
        ("phone", "", "0033 6 12 34 56 78", ""),
        ("phone", "(", "+33612345678", ")"),
        ("phone", "75002 Paris, ", "01 42 68 53 00", " 75009 Paris"),
        ("phone", "", "(555) 234-5678", ""),
        ("phone", "", "555-234-5678", " x"),
        ("phone", "", "1-800-555-0199", "!"),
        ("phone", "", "212.555.0134 ext. 123", "."),
        ("phone", "", "+1-212-555-0134x123", ""),
        ("phone", "", "+44 20 7946 0958", ""),
        ("phone", "My number: call ", "2125550134", ""),
        ("phone", "phone_number: ", "5552345678", ""),
        ("iban", "", "FR76 3000 6000 0112 3456 7890 189", " merci"),
        ("iban", "", "fr7630006000011234567890189", ""),
        ("iban", "", "GB82-WEST-1234-5698-7654-32", ""),
        ("card", "", "4111 1111 1111 1111", " 12/27"),
        ("card", "", "4111-1111-1111-1111", ""),
        ("card", "", "3782 822463 10005", ""),
        ("card", "", "5555555555554444", ""),
        ("ip", "from ", "82.66.12.190", ":8080"),
        ("ip", "http://", "93.184.216.34", "/a"),
        ("ip", "", "2001:db8::8a2e:370:7334", " is"),
        ("ip", "IP ", "8.8.8.8", ""),
        ("nir", "", "2 95 10 99 126 111 93", ""),
        ("nir", "", "253072B07300470", ""),
        ("ssn", "", "536-90-4399", ""),
        ("ssn", "SSN ", "536904399", ""),
        ("itin", "", "912-90-3456", ""),
        ("account", "thanks ", "@jean_dupont", "!"),
        ("account", "", "@jean@mastodon.social", ""),
        ("account", "username: ", "jdupont", ""),
        ("account", '"login": "', "jdupont", '"'),
        ("account", "user: ", "jean_d92", ""),
        ("account", "https://github.com/", "jdupont", "/repo"),
        ("account", "linkedin.com/in/", "jean-dupont-123", "/"),
        ("account", "by ", "u/jean_d", ""),
    ],
)
def test_personal_data_are_found_in_the_ways_people_write_them(
    kind: Kind, before: str, found: str, after: str
) -> None:
    assert (kind, found, True) in find(before + found + after)


@pytest.mark.parametrize(
    "text",
    [
        "Versions 1.2.3.4 and v10.20.30.40, section 4.3.2.1",
        "Chrome/120.0.6099.109 on 192.168.1.20, 127.0.0.1, 10.0.0.0/8 and fe80::1",
        "8.8.8.0/24 is a network",
        "2014-05-12 10:30:00, 12/05/2014, 1990-1995 and 2010-2014",
        "ISBN 978-2-07-036024-5, ISBN-10 2-07-036024-8",
        "order number 114-3941689-8664238",
        "<<450-150-36-50-20-10=184>>184 and 28980 - 18480 = 10500",
        "12 345 678 900 habitants, 1.234.567.890 euros, $1234567890",
        "48.8566, 2.3522 and 40.7128 -74.0060",
        "sha 3f786850e387550fdab836ed7e6dc881de23001b",
        "550e8400-e29b-41d4-a716-446655440000",
        "SIREN 732 829 320, SIRET 73282932000074",
        "git@github.com:acme/tools.git and logo@2x.png, a@b",
        "https://maps.example.com/@48.85,2.35,15z npm i @types/node@1.2.3",
        "@property\ndef f(): ...\n@media print",
        "User: Hello! The user is happy. Login: required.",
        "std::vector a::b 12:30:45 16:9",
        "https://twitter.com/search https://github.com/features",
        "[EMAIL] [PHONE] [IBAN] [CARD] [IP] [NIR] [SSN] [ITIN] [ACCOUNT]",
        "le point de vue, one point in time, a dot on a map",
    ],
)
def test_text_that_only_looks_like_personal_data_is_unchanged(text: str) -> None:
    assert not find(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "jean [at] example [dot] fr"),
        ("email", "jean (at) example.fr"),
        ("email", "jean arobase example point fr"),
        ("email", "jean at example dot com"),
        ("phone", "2125550134"),
        ("phone", "order 555-234-5678"),
        ("card", "carte 4111 1111 1111 1112"),
        ("iban", "IBAN FR76 3000 6000 0112 3456 7890 188"),
        ("nir", "sécu 2 95 10 99 126 111 94"),
        ("ssn", "SSN 666-12-3456"),
        ("ip", "it is 4.4.4.4"),
        ("account", "pseudo est 'corbeau'"),
    ],
)
def test_a_doubtful_case_is_borderline(kind: Kind, text: str) -> None:
    assert [(one, sure) for one, _, sure in find(text)] == [(kind, False)]


def test_a_number_with_a_checksum_is_not_taken_for_a_telephone() -> None:
    text = "FR76 3000 6000 0112 3456 7890 189, 4111 1111 1111 1111"
    assert [kind for kind, _, _ in find(text)] == ["iban", "card"]


VALUES: list[tuple[Kind, str]] = [
    ("email", "jean.dupont@example.fr"),
    ("phone", "01 42 68 53 00"),
    ("phone", "212-555-0123"),
    ("phone", "+33 6 12 34 56 78"),
    ("iban", "FR76 3000 6000 0112 3456 7890 189"),
    ("card", "4111 1111 1111 1111"),
    ("card", "378282246310005"),
    ("ip", "82.66.12.190"),
    ("ip", "2001:41d0:8:e8ad::1"),
    ("nir", "2 95 10 99 126 111 93"),
    ("ssn", "536-90-4399"),
    ("itin", "912-90-3456"),
]
BEFORE = (
    "/ - _ : ; ' \" ( [ { < | = , 33, x/ home- fax/ label_ label: a; … ... -- “ « # * ~"
    " & – > 1/ a/b/ see\\n see\\t see\n see\t"
).split(" ")
AFTER = (
    "/ - _ : ; ' \" ) ] } > | , ,33 /fax -home -Office _old ... -- ” » … # * ~ & &a=b"
    " .Next ! ? – )- \\n \\, \n \t </td>"
).split(" ")


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_the_text_around_a_value_neither_hides_nor_cuts_it(
    kind: Kind, value: str
) -> None:
    texts = [before + value for before in BEFORE]
    texts += [value + after for after in AFTER]
    texts += [f"see {value}{after}" for after in AFTER]
    for text in texts:
        found = [one for one in find(text) if one[0] == kind and one[2]]
        assert any(value in spelt for _, spelt, _ in found), text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("phone", "Tel 01 42 68 53 00/fax", "01 42 68 53 00"),
        ("phone", "Tel 01 42 68 53 00/01 42 68 53 01", "01 42 68 53 01"),
        ("phone", "Phone: 48150616", "48150616"),
        ("phone", "Jo;4815 0616-home;Oslo", "4815 0616"),
        ("phone", "?phone=%2B33612345678&lang=fr", "33612345678"),
        ("phone", "https://x.example/?phone=0612345678", "0612345678"),
        ("phone", "tel:+1-201-555-0123;ext=12", "+1-201-555-0123;ext=12"),
        ("phone", "Hi, my number is ০১ ৭৪৮ ৩৩৭৮৮৭", "০১ ৭৪৮ ৩৩৭৮৮৭"),
        ("phone", "Tel: 95 39 15, Esch", "95 39 15"),
        ("phone", '{"mobile": "800360"}', "800360"),
        ("phone", "Tel0142685300", "0142685300"),
        ("phone", "0142685300home", "0142685300"),
        ("card", "4111 1111 1111 1111 4012 8888 8888 1881", "4012 8888 8888 1881"),
        ("card", "3782 822463 10005 3714 496353 98431", "3714 496353 98431"),
        ("card", "Visa4111111111111111", "4111111111111111"),
        ("card", "id,card,exp\n1,4111111111111111,12/27", "4111111111111111"),
        ("card", "4111\n1111 1111 1111", "4111\n1111 1111 1111"),
        ("card", "371449635398431 378282246310005", "371449635398431"),
        ("card", "My card 371021093042809 is lost", "371021093042809"),
        ("card", "6759-5890-4897 12/27 123", "6759-5890-4897"),
        (
            "iban",
            "FR76 3000 6000 0112\n3456 7890 189",
            "FR76 3000 6000 0112\n3456 7890 189",
        ),
        ("email", "?to=%22jo%40example.org", "jo%40example.org"),
        ("ip", "82.66.12.190/32", "82.66.12.190"),
        ("ip", "client/82.66.12.190-home", "82.66.12.190"),
        ("ip", "82.66.12.190/82.66.12.191", "82.66.12.191"),
        ("ssn", "Jo,536-90-4399,33", "536-90-4399"),
        ("ssn", "SSN536-90-4399", "536-90-4399"),
    ],
)
def test_a_value_is_found_whole_in_forms_records_and_code(
    kind: Kind, text: str, value: str
) -> None:
    assert any(
        one == kind and sure and value in found for one, found, sure in find(text)
    )


@pytest.mark.parametrize(
    "text",
    [
        "Twitter: follow us for news",
        "GitHub: see the docs",
        "Instagram: new photos. Skype: call. Discord: join",
        "Twitter: soon",
        "Grew from 8 548 269 406 to 2 083 661 278.",
        "07/04/2004-18/12/2023: 2897/4830",
        "The fund has 5.011.122.025 in it",
        'DIGITS = "0123456789"',
        "recall 0.999 / 1.000 by phone",
        "Mobile: 25000 users. Phone: 123. Hotel: 20500",
        "x = 0.4111111111111111; y = 3 *5551234567",
    ],
)
def test_sentences_sums_and_dates_are_not_accounts_or_numbers(text: str) -> None:
    assert not [one for one in find(text) if one[2]]


def test_a_word_in_a_sentence_after_username_is_borderline() -> None:
    assert find("username: please enter it") == [("account", "please", False)]
    assert find("Twitter: @jdupont") == [("account", "@jdupont", True)]
