import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft import io
from graft.errors import DataError
from graft.evaluation.review.key import Key, read_key, write_key
from graft.evaluation.review.page import to_sheet
from graft.evaluation.review.sampling import sample_items
from graft.records import Prediction


def make_rows(number: int, prompt: str = "prompt") -> list[Prediction]:
    """Every seventh answer is the same; a quarter is of stratum `rare`."""
    return [
        Prediction(
            id=f"example-{i}",
            stratum="rare" if i % 4 == 0 else "common",
            prompt=f"{prompt} {i}",
            references=[f"gold {i}"],
            base=f"red {i}",
            tuned=f"red {i}" if i % 7 == 6 else f"blue {i}",
        )
        for i in range(number)
    ]


def mirror(key: Key) -> Key:
    """The key with the systems exchanged."""
    other = {"base": "tuned", "tuned": "base"}
    values = key.model_dump()
    for row in [*values["ab"].values(), *values["rating"].values()]:
        row["systems"] = [other[system] for system in row["systems"]]
    return Key.model_validate(values)


class Texts(HTMLParser):
    """What a browser shows in the boxes of texts, and all elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        values = dict(attrs)
        self.links += [v for k, v in attrs if k in ("src", "href", "action")]
        if "text" in (values.get("class") or "").split():
            self._inside = True
            self.texts.append("")

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.texts[-1] += data


def sheets(rows: list[Prediction], key: Key) -> list[str]:
    examples = {row.id: row for row in rows}
    return [to_sheet("ab", key, examples), to_sheet("rating", key, examples)]


def test_equal_seeds_give_equal_bytes_and_others_another_review() -> None:
    rows = make_rows(40)
    first, again, other = (sample_items(rows, 10, seed, "run") for seed in (1, 1, 2))
    assert first == again
    assert sheets(rows, first) == sheets(rows, again)
    assert first.sheet != other.sheet
    assert sheets(rows, first) != sheets(rows, other)


def test_a_pair_has_two_different_answers_and_each_system_is_first_in_half() -> None:
    rows = make_rows(60)
    key = sample_items(rows, 20, 5, None)
    same = {row.id for row in rows if row.base == row.tuned}
    assert len(key.ab) == 20
    assert not same & {row.example for row in key.ab.values()}
    assert (key.num_predictions, key.num_identical) == (60, len(same))
    first = Counter(row.systems[0] for row in key.ab.values())
    assert first == {"base": 10, "tuned": 10}


def test_strata_are_sampled_evenly_as_far_as_possible() -> None:
    key = sample_items(make_rows(40), 12, 0, None)
    assert Counter(row.stratum for row in key.ab.values()) == {"rare": 6, "common": 6}
    every = sample_items(make_rows(40), 10_000, 0, None)
    assert len({row.example for row in every.rating.values()}) == 40


def test_an_answer_that_both_systems_give_is_rated_once_for_both() -> None:
    rows = make_rows(14)
    key = sample_items(rows, 14, 0, None)
    assert len(key.rating) == 2 * 12 + 2
    shared = [row for row in key.rating.values() if len(row.systems) == 2]
    assert {row.example for row in shared} == {"example-6", "example-13"}


def test_the_order_cannot_be_derived_from_the_seed_without_the_answers() -> None:
    orders = set()
    for word in "abcd":
        rows = [replace(row, tuned=f"{word} {row.tuned}") for row in make_rows(40)]
        key = sample_items(rows, 30, 42, None)
        orders.add(tuple(row.systems[0] for row in key.ab.values()))
    assert len(orders) == 4


@given(number=st.integers(1, 30), seed=st.integers(0, 2**40))
def test_every_sample_is_a_valid_key(number: int, seed: int) -> None:
    key = sample_items(make_rows(20), number, seed, None)
    assert Key.model_validate(key.model_dump()) == key
    assert len(key.ab) == min(number, 18)


def test_a_sheet_does_not_reveal_which_system_gave_which_answer() -> None:
    rows = make_rows(30)
    swapped = [replace(row, base=row.tuned, tuned=row.base) for row in rows]
    key = sample_items(rows, 20, 7, "run")
    assert sheets(rows, key) == sheets(swapped, mirror(key))


def test_a_sheet_names_no_run_no_example_and_no_stratum() -> None:
    rows = make_rows(30)
    for page in sheets(rows, sample_items(rows, 20, 7, "run-0123")):
        for secret in ("run-0123", "example-", "rare", "common", "tuned"):
            assert secret not in page


HOSTILE = '</div></section><script>alert("1")</script>&amp;\n  <b onclick=x>'


def test_texts_are_escaped() -> None:
    rows = [
        replace(row, base=HOSTILE + row.base, references=[HOSTILE])
        for row in make_rows(5, prompt=HOSTILE)
    ]
    key = sample_items(rows, 5, 0, None)
    examples = {row.id: row for row in rows}
    page = Texts(to_sheet("ab", key, examples))
    expected = []
    for shown in key.ab.values():
        row = examples[shown.example]
        answers = [getattr(row, system) for system in shown.systems]
        expected += [row.prompt, *answers, row.references[0]]
    assert page.texts == expected
    assert (page.tags["script"], page.tags["b"]) == (1, 0)


def test_an_empty_answer_and_a_missing_reference_are_shown_plainly() -> None:
    rows = [replace(row, tuned=" ", references=[]) for row in make_rows(3)]
    page = to_sheet("ab", sample_items(rows, 3, 0, None), {row.id: row for row in rows})
    assert page.count("(an empty answer)") == 3
    assert "A reference answer" not in page


def test_a_sheet_loads_nothing_and_its_policy_allows_its_own_script() -> None:
    rows = make_rows(9)
    for page in sheets(rows, sample_items(rows, 9, 0, None)):
        assert not Texts(page).links
        assert not re.search(r"https?:|@import|url\(", page)
        policy = re.search(r'Policy" content="([^"]*)"', page)
        assert policy is not None
        for tag in ("script", "style"):
            own = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
            digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
            assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy[1]


def test_a_rating_item_shows_one_answer_and_three_questions() -> None:
    rows = make_rows(4)
    key = sample_items(rows, 4, 0, None)
    page = to_sheet("rating", key, {row.id: row for row in rows})
    assert len(Texts(page).texts) == 3 * len(key.rating)  # with prompt and reference
    for item in key.rating:
        for question in ("fluency", "relevance", "clarity"):
            assert page.count(f'name="{item}.{question}"') == 5


def test_a_key_is_read_as_written_and_items_keep_their_order(tmp_path: Path) -> None:
    key = sample_items(make_rows(200), 120, 3, "run")
    write_key(tmp_path / "key.json", key)
    write_key(tmp_path / "key.json", key)
    again = read_key(tmp_path / "key.json")
    assert again == key
    assert [*again.ab] == [*key.ab] == sorted(key.ab)


def test_the_key_of_another_review_is_never_lost(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    write_key(path, sample_items(make_rows(20), 5, 1, None))
    before = path.read_bytes()
    with pytest.raises(DataError, match="key of another review"):
        write_key(path, sample_items(make_rows(20), 5, 2, None))
    assert path.read_bytes() == before


def test_an_invalid_key_is_an_error(tmp_path: Path) -> None:
    values = sample_items(make_rows(9), 5, 1, None).model_dump(mode="json")
    first = next(iter(values["ab"]))
    rated = next(n for n, row in values["rating"].items() if len(row["systems"]) == 1)
    pair = values["ab"] | {first: values["ab"][first] | {"systems": ["base", "base"]}}
    fewer = {name: row for name, row in values["rating"].items() if name != rated}
    for broken in (
        {"hello": 1},
        [],
        {name: value for name, value in values.items() if name != "seed"},
        values | {"ab": pair},
        values | {"rating": fewer},
    ):
        io.write_json(tmp_path / "key.json", broken)
        with pytest.raises(DataError, match="not the key of a review: .+: .+"):
            read_key(tmp_path / "key.json")


def test_a_review_shows_at_least_one_example() -> None:
    with pytest.raises(ValueError, match="number of examples: 0"):
        sample_items(make_rows(3), 0, 1, None)


def test_a_rater_sees_the_turns_before_the_prompt() -> None:
    turns = [{"role": "user", "content": "Who <b>wrote</b> it?"}]
    rows = [replace(row, history=turns) for row in make_rows(4)]
    for page in sheets(rows, sample_items(rows, 2, 0, None)):
        assert page.count("The conversation so far") >= 2
        assert "Who &lt;b&gt;wrote&lt;/b&gt; it?" in page
