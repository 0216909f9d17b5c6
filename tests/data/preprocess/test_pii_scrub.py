"""The actions on personal data, and the decisions of a reviewer."""

import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from graft.config.pii import KINDS, Action, Kind, PiiConfig
from graft.data.preprocess.pii.folding import fold
from graft.data.preprocess.pii.prefilter import names, traits
from graft.data.preprocess.pii.recognise import recognise
from graft.data.preprocess.pii.review import to_decisions, to_key
from graft.data.preprocess.pii.scrub import Scrubber
from graft.errors import ConfigError, DataError
from pii.labelled import labelled
from pii.score import score
from pii.templates import WORLD

CARD = "4111 1111 1111 1111"
EXAMPLES = list(labelled(400, seed=3))
TEXTS = pl.Series([example.text for example in EXAMPLES])
EVERYWHERE = sorted(phonenumbers.SUPPORTED_REGIONS)
IDS = pl.Series([str(number) for number in range(len(EXAMPLES))])


def scrubber(
    decisions: Mapping[str, bool] | None = None,
    regions: tuple[str, ...] = ("FR", "US"),
    **actions: Action,
) -> Scrubber:
    """Redacts all kinds except those with another action."""
    chosen: dict[str, str] = dict.fromkeys(KINDS, "redact") | actions
    config = PiiConfig.model_validate(
        {"actions": chosen, "regions": regions, "unsure": "keep", "context": 20}
    )
    return Scrubber(config, decisions or {})


def scrub(text: str) -> str:
    done = scrubber().scrub(pl.Series([text]), pl.Series(["a"]))
    return str(done.texts[0])


def test_a_placeholder_keeps_the_sentence() -> None:
    text = (
        "Écrivez à «\u00a0jean@example.fr\u00a0» ou au 06\u202f12\u202f34 56 78, merci."
    )
    assert scrub(text) == "Écrivez à «\u00a0[EMAIL]\u00a0» ou au [PHONE], merci."


def test_each_kind_has_its_own_action() -> None:
    text = f"{CARD}, a@b.fr, 536-90-4399, @jean_d"
    actions = scrubber(card="drop", email="flag", ssn="ignore")
    done = actions.scrub(pl.Series(["clean", text]), pl.Series(["a", "b"]))
    assert done.texts.to_list() == ["clean", text.replace("@jean_d", "[ACCOUNT]")]
    assert done.dropped.to_list() == [None, "card"]
    assert done.flagged.to_list() == [None, "email"]
    assert done.counts == {"card": 1, "email": 1, "account": 1}


def test_a_column_without_personal_data_is_unchanged() -> None:
    texts = pl.Series(["12 years", None, "", "3*4=12"])
    done = scrubber().scrub(texts, pl.Series(["a"] * 4))
    assert done.texts.equals(texts, null_equal=True)
    assert not done.counts and not done.review
    assert done.dropped.is_null().all() and len(done.flagged) == 4


def test_scrubbing_leaves_the_callers_column_as_it_was() -> None:
    texts = pl.Series(["a@b.fr"])
    scrubber().scrub(texts, pl.Series(["a"]))
    assert texts.to_list() == ["a@b.fr"]


def test_scrubbing_again_changes_nothing() -> None:
    once = scrubber().scrub(TEXTS, IDS)
    again = scrubber().scrub(once.texts, IDS)
    assert again.texts.equals(once.texts)
    assert not again.counts
    assert [line.key for line in again.review] == [line.key for line in once.review]


PIECES = st.sampled_from(
    "a@b.fr 06 12 34 56 78 555-234-5678 phone order SSN card @jo_d user: [EMAIL]"
    " x 1 . ( +33 4111 1111 1111 1111 82.66.12.190 at dot \u00ad \u00a0 \uff11 \n IBAN"
    " FR76 é".split(" ")
)


@given(st.lists(PIECES, max_size=14), st.sampled_from(["", " ", "-"]))
def test_scrubbing_any_mixture_twice_is_the_same_as_once(
    pieces: list[str], sign: str
) -> None:
    once = scrub(sign.join(pieces))
    assert scrub(once) == once


@given(st.text(max_size=60))
def test_folding_keeps_the_place_of_each_character(text: str) -> None:
    plain = fold(text)
    for at, char in enumerate(plain.text):
        start, end = plain.original(at, at + 1)
        assert end == start + 1 and fold(text[start]).text == char


def test_threads_and_a_pickled_copy_give_the_same_result() -> None:
    here = scrubber()
    copy: Scrubber = pickle.loads(pickle.dumps(here))
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: copy.scrub(TEXTS, IDS).texts, range(4)))
    assert all(texts.equals(here.scrub(TEXTS, IDS).texts) for texts in done)


def test_a_borderline_finding_waits_for_review() -> None:
    text = "carte 4111 1111 1111 1112 perdue"
    texts, ids = pl.Series([text]), pl.Series(["ex-1"])
    done = scrubber().scrub(texts, ids)
    assert done.texts.to_list() == [text] and not done.counts
    (line,) = done.review
    assert (line.id, line.kind, line.text) == ("ex-1", "card", "4111 1111 1111 1112")
    assert line.context == text and line.why == "wrong checksum"
    yes = scrubber(decisions={line.key: True}).scrub(texts, ids)
    assert yes.texts.to_list() == ["carte [CARD] perdue"] and not yes.review
    no = scrubber(decisions={line.key: False}).scrub(texts, ids)
    assert no.texts.to_list() == [text] and not no.review


def test_a_reviewer_may_also_keep_a_sure_finding() -> None:
    key = to_key("email", "press@example.org", "a")
    done = scrubber(decisions={key: False}).scrub(
        pl.Series(["press@example.org"]), pl.Series(["a"])
    )
    assert done.texts.to_list() == ["press@example.org"]


def test_a_key_is_the_same_however_the_number_is_spaced() -> None:
    keys = {to_key("phone", text, "a") for text in ("555 234-5678", "5552345678")}
    assert len(keys) == 1
    assert to_key("phone", "5552345678", "b") not in keys


@pytest.mark.parametrize(
    ("word", "means"), [("yes", True), (" NO ", False), (True, True)]
)
def test_decisions_are_read_from_rows(word: object, means: bool) -> None:
    rows = [{"key": "0" * 16, "decision": word}, {"key": "1" * 16, "decision": ""}]
    lines = [("review.csv: row 1", row) for row in rows]
    assert to_decisions(lines) == {"0" * 16: means}


@pytest.mark.parametrize(
    "rows",
    [
        [{"key": "0" * 16, "decision": "maybe"}],
        [{"key": "", "decision": "yes"}],
        [{"key": "0" * 16, "decision": "yes"}, {"key": "0" * 16, "decision": "no"}],
    ],
)
def test_a_wrong_decision_is_an_error_with_its_row(
    rows: list[dict[str, object]],
) -> None:
    with pytest.raises(DataError, match=rf"review\.csv: row {len(rows)}"):
        to_decisions(
            (f"review.csv: row {number}", row) for number, row in enumerate(rows, 1)
        )


def test_an_unknown_region_is_an_error() -> None:
    with pytest.raises(ConfigError, match="XX"):
        scrubber(regions=("FR", "XX"))


def test_each_kind_needs_an_action() -> None:
    with pytest.raises(ValidationError, match="is missing"):
        PiiConfig(actions={"email": "drop"}, regions=[], unsure="keep", context=0)
    assert set(KINDS) == set(get_args(Kind))


def test_numbers_of_all_countries_and_networks_are_found() -> None:
    examples = list(labelled(1200, seed=21, sentences=WORLD))
    scores = score(examples, EVERYWHERE)
    for kind, least in (("phone", 0.95), ("card", 0.99)):
        one = scores[kind]
        assert one.spans >= 200, kind
        assert one.recall >= least, (kind, one.errors)
        assert one.precision >= 0.98, (kind, one.errors)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_no_part_of_a_redacted_number_stays(seed: int) -> None:
    for example in labelled(4, seed, clean=0, sentences=WORLD):
        plain = fold(example.text)
        seen = names(traits(pl.Series([example.text])))[0]
        found = recognise(plain.text, seen, EVERYWHERE)
        sure = [plain.original(one.start, one.end) for one in found if one.sure]
        for kind, start, end in example.spans:
            covered = {at for span in sure for at in range(*span)}
            left = [at for at in range(start, end) if at not in covered]
            digits = "".join(filter(str.isdigit, (example.text[at] for at in left)))
            complete = len(left) == end - start
            assert complete or len(digits) < 4, (kind, example.text, digits)


def test_precision_and_recall_hold_on_labelled_text() -> None:
    for kind, one in score(EXAMPLES, ("FR", "US", "GB")).items():
        assert one.spans >= 5, kind
        assert one.recall >= 0.95, (kind, one.errors)
        assert one.precision >= 0.97, (kind, one.errors)
