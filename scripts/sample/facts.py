"""Documents with something to look up or to work out, in one language."""

import json
from random import Random

from .adjuncts import CITIES
from .nouns import BY_KIND, NOUNS
from .numbers import english_number, french_number
from .phrases import NAMES
from .verbs import INTRANSITIVE

_KEYS = (
    ("name", "age", "city", "animal", "food"),
    ("nom", "âge", "ville", "animal", "plat"),
)
_QUESTIONS = (
    (
        "How old is {0}?",
        "Where does {0} live?",
        "What animal does {0} have?",
        "What does {0} eat?",
    ),
    (
        "Quel âge a {0} ?",
        "Où habite {0} ?",
        "Quel animal a {0} ?",
        "Que mange {0} ?",
    ),
)
_YEARS = ("{} years old", "{} ans")


def _person(rng: Random, language: int) -> dict[str, str | int]:
    city, animal = rng.choice(CITIES), rng.choice(BY_KIND["A"])
    food = rng.choice(BY_KIND["F"])
    values = (
        rng.choice(NAMES).en,
        rng.randint(2, 99),
        city[language],
        animal.fr if language else animal.en,
        food.fr_plural if language else food.en_plural,
    )
    return dict(zip(_KEYS[language], values))


def _written(rng: Random, record: dict[str, str | int], language: int) -> str:
    style = rng.random()
    if style < 0.4:
        return json.dumps(record, ensure_ascii=False)
    if style < 0.7:
        colon = " : " if language else ": "
        return "\n".join(f"{key}{colon}{value}" for key, value in record.items())
    return " | ".join(str(value) for value in record.values())


def record(rng: Random, language: int) -> str:
    """Records of persons, then questions with their answers."""
    people = [_person(rng, language) for _ in range(rng.randint(1, 3))]
    parts = [_written(rng, person, language) for person in people]
    chosen = rng.choice(people)
    name, *values = chosen.values()
    if [p[_KEYS[language][0]] for p in people].count(name) == 1:
        for index in rng.sample(range(4), rng.randint(1, 3)):
            answer = str(values[index])
            if index == 0 and rng.random() < 0.5:
                count = int(values[0])
                words = french_number(count) if language else english_number(count)
                answer = _YEARS[language].format(words)
            asked = _QUESTIONS[language][index].format(name)
            parts.append(f"{asked} {answer[0].upper()}{answer[1:]}.")
    return "\n".join(parts)


def lookup(rng: Random, language: int) -> str:
    """Keys with values that nothing explains, and some of them asked again."""
    count = rng.randint(3, 9)
    names = [n.fr if language else n.en for n in rng.sample(NOUNS, count)]
    deeds = [v.infinitive if language else v.en for v in INTRANSITIVE]
    kind = rng.random()
    if kind < 0.4:
        values = [str(rng.randint(0, 999)) for _ in names]
    elif kind < 0.7:
        values = [rng.choice(deeds) for _ in names]
    else:
        values = [n.fr if language else n.en for n in rng.sample(NOUNS, count)]
    sign = rng.choice((" = ", ": ", " -> ", "\t"))
    rows = [f"{name}{sign}{value}" for name, value in zip(names, values)]
    asked = [rng.choice(rows) for _ in range(rng.randint(2, 6))]
    return "\n".join(rows + ["..."] + asked)


def arithmetic(rng: Random, language: int) -> str:
    """Sums in digits or in words."""
    rows = []
    in_words = rng.random() < 0.5
    plus, minus, equals = (("plus", "moins", "font") if language else
                           ("plus", "minus", "is"))  # fmt: skip
    for _ in range(rng.randint(3, 9)):
        a, b = rng.randint(2, 49), rng.randint(2, 49)
        result, sign = a + b, "+"
        if rng.random() < 0.4 and abs(a - b) > 1:
            a, b = max(a, b), min(a, b)
            result, sign = a - b, "-"
        if in_words:
            say = french_number if language else english_number
            word = plus if sign == "+" else minus
            rows.append(f"{say(a)} {word} {say(b)} {equals} {say(result)}")
        else:
            rows.append(f"{a} {sign} {b} = {result}")
    return "\n".join(rows)


def conversation(rng: Random, language: int) -> str:
    """Turns between a user and an assistant, in the chat template's own marks."""
    turns = []
    for _ in range(rng.randint(1, 3)):
        *facts, asked = (record(rng, language)).split("\n")
        mark = "?" if "?" in asked else None
        if mark is None:
            sum_ = arithmetic(rng, language).split("\n", 1)[0]
            left, _, right = (
                sum_.replace(" font ", " = ").replace(" is ", " = ").partition(" = ")
            )
            turns.append((left, right))
            continue
        question, _, answer = asked.partition("? ")
        turns.append(("\n".join([*facts, question + "?"]), answer))
    return "".join(f"[INST] {user} [/INST] {said}</s>" for user, said in turns)
