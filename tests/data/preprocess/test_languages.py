"""Foreign texts are detected, and texts of unclear language are kept."""

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.config.quality import LanguageConfig
from graft.data.preprocess.languages import check_expected, foreign, to_codes
from graft.errors import ConfigError

CONFIG = LanguageConfig(
    expected={"user": "en", "assistant": "fr"}, min_bytes=12, min_margin=0.15
)
SENTENCES = {
    "ar": "أغلقت المكتبة أبوابها قبل أن نصل إليها.",
    "ca": "La biblioteca ha tancat abans que hi arribéssim.",
    "cs": "Knihovna zavřela dřív, než jsme tam došli.",
    "de": "Die Bücherei hat geschlossen, bevor wir ankamen.",
    "en": "The library had closed before we got there.",
    "es": "La biblioteca cerró antes de que llegáramos.",
    "fr": "La bibliothèque a fermé avant que nous arrivions.",
    "it": "La biblioteca ha chiuso prima che arrivassimo.",
    "ja": "私たちが着く前に図書館は閉まっていました。",
    "nl": "De bibliotheek was dicht voordat wij er waren.",
    "pl": "Biblioteka została zamknięta, zanim dotarliśmy.",
    "pt": "A biblioteca fechou antes de nós chegarmos.",
    "ro": "Biblioteca s-a închis înainte să ajungem noi.",
    "ru": "Библиотека закрылась раньше, чем мы пришли.",
    "sv": "Biblioteket stängde innan vi hann fram.",
    "tr": "Biz varmadan önce kütüphane kapanmıştı.",
    "zh": "我们到达之前图书馆已经关门了。",
}


def found(texts: list[str | None], code: str | None = "en") -> list[str | None]:
    codes = pl.repeat(code, len(texts), dtype=pl.String, eager=True)
    return foreign(pl.Series(texts, dtype=pl.String), codes, CONFIG).to_list()


@pytest.mark.parametrize("code", ["ar", "de", "en", "fr", "ru"])
def test_a_sentence_is_foreign_where_another_language_is_expected(code: str) -> None:
    others = [text for other, text in SENTENCES.items() if other != code]
    assert found(others, code) == [other for other in SENTENCES if other != code]


def test_a_sentence_in_the_expected_language_is_never_foreign() -> None:
    codes = pl.Series(list(SENTENCES))
    languages = foreign(pl.Series(list(SENTENCES.values())), codes, CONFIG)
    assert languages.null_count() == len(SENTENCES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 345,67",
        "https://exemple.fr/la-page-du-jour?id=les-amis",
        "jean.dupont@exemple.fr",
        "François Hollande, Angela Merkel et Shinzo Abe",
        "LE MONDE DIPLOMATIQUE",
        "x² + y² = z²",
        "😀😀😀",
        "Oui, merci.",
        "!!!",
        "\x00",
    ],
)
def test_text_that_is_the_same_in_every_language_or_too_short_is_kept(
    text: str,
) -> None:
    assert found([text]) == [None]
    assert found([text], "zh") == [None]


def test_a_quotation_in_another_language_does_not_make_a_text_foreign() -> None:
    assert found(["He called it « un roman de la route » in his last interview."]) == [
        None
    ]


def test_a_side_without_turns_or_expected_language_is_kept() -> None:
    assert found([None, SENTENCES["fr"]]) == [None, "fr"]
    assert found([SENTENCES["fr"]], None) == [None]
    assert found([]) == []


def test_each_text_is_held_to_its_own_language() -> None:
    texts = pl.Series([SENTENCES["fr"], SENTENCES["fr"], SENTENCES["en"]])
    codes = pl.Series(["fr", "en", "fr"])
    assert foreign(texts, codes, CONFIG).to_list() == [None, "fr", "en"]


def test_tags_become_codes_and_other_words_none() -> None:
    tags = pl.Series(["fr", "FR", "fr-CA", "pt_BR", "id", "nb", "news", "xx", "all"])
    assert to_codes(tags).to_list() == [
        *("fr", "fr", "fr", "pt", "ms", "no"),
        *(None, None, None),
    ]


def test_an_unknown_expected_language_is_an_error_that_names_the_known() -> None:
    check_expected(CONFIG.model_copy(update={"expected": {"user": "stratum"}}))
    with pytest.raises(ConfigError) as caught:
        check_expected(CONFIG.model_copy(update={"expected": {"user": "french"}}))
    assert "fr, gu" in str(caught.value)


@given(st.lists(st.text(), max_size=5))
def test_every_text_gets_a_result(texts: list[str]) -> None:
    assert len(found(list(texts))) == len(texts)


def test_threads_and_processes_give_the_same_answers() -> None:
    texts: list[str | None] = list(SENTENCES.values())
    once = found(texts)
    assert pickle.loads(pickle.dumps(foreign)) is foreign
    with ThreadPoolExecutor(4) as threads:
        assert all(result == once for result in threads.map(found, [texts] * 20))
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        series = pl.Series(texts), pl.repeat("en", len(texts), eager=True)
        result = processes.submit(foreign, *series, CONFIG).result()
    assert result.to_list() == once
