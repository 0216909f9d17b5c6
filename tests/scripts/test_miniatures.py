"""Claims about data/miniatures: what each file holds, and that the scripts write it."""

import json
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

import make_miniatures
from miniatures.expansion import expand, read_rules
from miniatures.families import POOLS, SIZES
from miniatures.novel import islands
from miniatures.sums import CHAINS, LARGEST, SINGLES
from sample.numbers import english_number

DIR = Path(__file__).parents[2] / "data/miniatures"
THOUGHT = re.compile(
    r"<think>\n(\d+) ([+-]) (\d+) = (\d+)\n</think>\n\n"
    r"\w+ has (\d+) [a-z ]+\.\n#### (\d+)"
)


@cache
def rows(name: str) -> list[dict[str, Any]]:
    lines = (DIR / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def novel() -> list[str]:
    return (DIR / "novel.txt").read_text(encoding="utf-8").splitlines()


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def test_the_files_are_what_the_script_writes() -> None:
    for name, text in make_miniatures.build_files().items():
        assert (DIR / name).read_bytes() == text.encode(), name


def test_another_seed_gives_other_files() -> None:
    made = make_miniatures.build_files(7)
    assert all((DIR / name).read_text("utf-8") != text for name, text in made.items())


def test_files_are_small_and_name_no_address() -> None:
    for file in DIR.iterdir():
        assert file.stat().st_size <= 700_000
        assert "@" not in file.read_text(encoding="utf-8")


def test_the_readme_counts_the_rows_as_they_are() -> None:
    told = (DIR / "README.md").read_text(encoding="utf-8")
    for name in ("instructions", "questions", "chats"):
        assert f"| `{name}.jsonl` | {len(rows(name)):,} |" in told
    assert f"| `novel.txt` | {len(novel()):,} |" in told


def test_domains_are_as_unequal_as_they_say() -> None:
    assert Counter(row["domain"] for row in rows("instructions")) == SIZES
    assert max(SIZES.values()) == 15 * min(SIZES.values())


def test_no_instruction_and_no_steps_come_twice() -> None:
    asked = {(row["instruction"], row["input"]) for row in rows("instructions")}
    steps = {tuple(row["steps"]) for row in rows("instructions")}
    assert len(asked) == len(steps) == len(rows("instructions"))


def test_steps_name_no_person_and_no_number_that_the_instruction_does_not() -> None:
    telling = {*POOLS["name"], *map(english_number, range(2, 13))}
    for row in rows("instructions"):
        asked = words(f"{row['instruction']} {row['input']}")
        done = words(" ".join(row["steps"]))
        assert done & telling <= asked
        assert asked & telling <= done | words(row["input"] or "")


def test_an_instruction_is_short_and_has_a_few_steps() -> None:
    for row in rows("instructions"):
        text = " ".join([row["instruction"], row["input"] or "", *row["steps"]])
        assert len(text.split()) <= 90 and "{" not in text
        assert 3 <= len(row["steps"]) <= 6
    with_input = sum(row["input"] is not None for row in rows("instructions"))
    assert 0.2 < with_input / len(rows("instructions")) < 0.3


def test_a_paragraph_of_the_novel_is_one_line_and_comes_once() -> None:
    assert 250_000 <= (DIR / "novel.txt").stat().st_size <= 350_000
    assert len(set(novel())) == len(novel())
    for line in novel():
        assert line == line.strip() != "" and "  " not in line
        assert not re.search(r"[{}]|\*\.\*|\*\*|[.,]\.", line)
        assert line.count('"') % 2 == line.count("*") % 2 == 0


def test_the_voyage_goes_to_every_island_and_every_line_of_the_song_is_sung() -> None:
    titles = [line.split(". ")[1] for line in novel() if line.startswith("Chapter ")]
    names = [island["isle"] for island in islands()]
    assert titles == [title for name in names for title in (f"To {name}", name)]
    whole = next(line for line in novel() if line.count(" / ") > 5)
    assert whole == f"*{' / '.join(island['line'] for island in islands())}.*"


def test_nothing_is_told_of_an_island_before_its_chapters() -> None:
    text = "\n".join(novel())
    for number, island in enumerate(islands()):
        before = text[: text.index(f"Chapter {2 * number + 1}. ")]
        assert f" {island['isle']}" not in before and island["line"] not in before


def test_the_days_of_the_voyage_are_counted_on() -> None:
    days = [
        int(day) for day in re.findall(r"(\d+)(?:st|nd|rd|th) day", "".join(novel()))
    ]
    assert days == sorted(days) and len(set(days)) > 100


def test_most_words_of_the_novel_are_new_to_the_translation_sample() -> None:
    pairs = (DIR.parent / "sample/pairs.jsonl").read_text(encoding="utf-8")
    told = {word.lower() for word in words(" ".join(novel()))}
    assert len(told - {word.lower() for word in words(pairs)}) > len(told) / 2


def test_a_grammar_uses_its_alternatives_up_before_it_repeats(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text("# a\none\ntwo\nthe {b}\n# b\nthird\n")
    rules = read_rules(tmp_path / "rules.txt")
    made = expand(Random(1), "{^a}, {a}, {a}, {c}", rules, {"c": "{b}"})
    assert {part.lower() for part in made.split(", ")[:3]} == {
        "one",
        "two",
        "the third",
    }
    assert made[0].isupper() and made.endswith(", third")
    (tmp_path / "loose.txt").write_text("one\n")
    with pytest.raises(ValueError, match="stands under no name"):
        read_rules(tmp_path / "loose.txt")


def test_every_answer_stands_once_and_whole_in_its_context() -> None:
    for row in rows("questions"):
        assert len(row["answers"]) <= 2
        for answer in row["answers"]:
            found = re.findall(
                rf"(?<![\w-]){re.escape(answer)}(?![\w-])", row["context"]
            )
            assert len(found) == 1 or row["question"].startswith(("Who ", "Qui "))
            assert found


def test_one_question_in_ten_has_no_answer_in_both_languages() -> None:
    for language in ("en", "fr"):
        own = [row for row in rows("questions") if row["language"] == language]
        share = sum(not row["answers"] for row in own) / len(own)
        assert len(own) >= 1_700 and 0.08 < share < 0.13


def test_what_is_asked_without_an_answer_is_not_told() -> None:
    for row in rows("questions"):
        if row["question"].startswith(("Who ", "Qui ")):
            told = re.split(r"^\w+ | ?\?$", row["question"])[1]
            # A colored thing is told in other words: "Paul's hat is red".
            if row["answers"] and f"{row['answers'][0]} {told}." in row["context"]:
                continue
            assert f" {told}." not in row["context"]


def test_a_group_is_one_context_with_several_questions() -> None:
    contexts, asked = defaultdict(set), defaultdict(list)
    for row in rows("questions"):
        contexts[row["group"]].add(row["context"])
        asked[row["group"]].append(row["question"])
    assert all(len(found) == 1 for found in contexts.values())
    assert len(set.union(*contexts.values())) == len(contexts)
    assert all(2 <= len(set(found)) == len(found) <= 4 for found in asked.values())


def test_french_elides_and_sets_a_space_before_the_question_mark() -> None:
    for row in rows("questions"):
        if row["language"] == "fr":
            text = f"{row['context']} {row['question']}"
            assert not re.search(r"\b([Qq]ue|[Dd]e|[Ll][ea]) [AEaeéèêiouœ]", text), text
            assert row["question"].endswith(" ?")


def test_the_squad_file_has_the_same_questions_at_their_places() -> None:
    told = {
        (row["context"], row["question"]): row["answers"] for row in rows("questions")
    }
    squad = json.loads((DIR / "questions_squad.json").read_text(encoding="utf-8"))
    kinds: Counter[bool] = Counter()
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            for entry in paragraph["qas"]:
                kinds[entry["is_impossible"]] += 1
                answers = [answer["text"] for answer in entry["answers"]]
                assert answers == told[paragraph["context"], entry["question"]]
                assert entry["is_impossible"] == (not answers)
                for span in entry["answers"] + entry.get("plausible_answers", []):
                    start = span["answer_start"]
                    assert paragraph["context"][start:].startswith(span["text"])
    assert squad["version"] == "v2.0" and kinds[False] >= 50 and kinds[True] >= 5


def test_every_answer_of_a_chat_thinks_and_counts_rightly() -> None:
    for row in rows("chats"):
        turns = [turn for turn in row["messages"] if turn["role"] != "system"]
        asked, said = turns[::2], turns[1::2]
        assert {turn["role"] for turn in asked} == {"user"}
        assert {turn["role"] for turn in said} == {"assistant"}
        before = None
        for user, assistant in zip(asked, said, strict=True):
            found = THOUGHT.fullmatch(assistant["content"])
            assert found, assistant
            left, sign, right, *results = found.groups()
            made = int(left) + int(f"{sign}{right}")
            assert [int(result) for result in results] == [made] * 3
            assert before in (None, int(left)) and 1 <= made <= LARGEST
            assert {left, right} - {str(before)} <= words(user["content"])
            before = made
        assert row["answer"] == str(before)
        assert (row["kind"] == "follow_up") == (len(asked) == 2)


def test_chats_are_of_every_kind_and_some_have_a_system_turn() -> None:
    kinds = Counter(row["kind"] for row in rows("chats"))
    assert set(kinds) == {"sum", "difference", "comparison", "follow_up"}
    assert min(kinds.values()) > 300
    system = sum(row["messages"][0]["role"] == "system" for row in rows("chats"))
    assert 0.25 < system / len(rows("chats")) < 0.35


def test_a_family_of_sums_is_never_in_two_groups() -> None:
    groups = defaultdict(set)
    for row in rows("chats"):
        for turn in row["messages"]:
            if found := THOUGHT.fullmatch(turn["content"]):
                left, sign, right, result = found.groups()[:4]
                parts = (left, right) if sign == "+" else (result, right)
                groups[frozenset(parts)].add(row["group"])
    assert len(groups) > 200 and all(len(found) == 1 for found in groups.values())
    assert {first.group for first, _ in CHAINS} <= {one.group for one in SINGLES}
