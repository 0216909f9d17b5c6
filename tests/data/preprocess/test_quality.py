"""Rules of preprocess.quality: which examples they drop, with a reason."""

import pickle
from typing import Any

import polars as pl
import pytest

from graft.config.quality import QualityConfig
from graft.data.preprocess.quality import measure, quality_rules
from graft.data.turns import sides, unfold
from graft.errors import ConfigError

OFF: dict[str, Any] = {
    "max_repetition": None,
    "placeholders": [],
    "lost_characters": "keep",
    "min_letters": None,
    "same_numbers": False,
    "language": None,
}
LANGUAGE = {
    "expected": {"user": "en", "assistant": "fr"},
    "min_bytes": 12,
    "min_margin": 0.15,
}
ON = OFF | {
    "max_repetition": 0.5,
    "placeholders": ["lorem ipsum*", "N/A", "[deleted]", "#REF!"],
    "lost_characters": "drop",
    "language": LANGUAGE,
}
ENGLISH, FRENCH = "The shop is closed on Mondays.", "Le magasin est fermé le lundi."


def marks(*turns: tuple[str, str], stratum: str = "all", **config: Any) -> list[str]:
    """The reasons for which an example is dropped."""
    chosen = QualityConfig.model_validate(ON | config)
    messages = [{"role": role, "content": content} for role, content in turns]
    batch = pl.DataFrame({"messages": [messages], "stratum": [stratum]})
    measures = sides(unfold(batch))
    measures = measure(measures, unfold(batch), batch["stratum"], chosen)
    found = []
    for rule in quality_rules(chosen):
        drops, value = measures.select(rule.drops.alias("drops"), rule.value).row(0)
        if drops:
            assert value and rule.expected and rule.fix
            found.append(rule.reason)
    return found


def pair(user: str, assistant: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("user", user), ("assistant", assistant)


@pytest.mark.parametrize(
    ("user", "assistant", "reason"),
    [
        (ENGLISH, "Le magasin est ferm\ufffd le lundi.", "lost characters"),
        (ENGLISH, "n/a", "placeholder"),
        ("Lorem ipsum dolor sit amet", "Bonjour", "placeholder"),
        ("#REF!", FRENCH, "placeholder"),
        (ENGLISH, "fermé fermé fermé fermé fermé fermé", "repetition"),
        (ENGLISH, "The shop is closed on each Monday.", "wrong language"),
        (ENGLISH, "Der Laden ist montags geschlossen.", "wrong language"),
        (FRENCH, "Fermé", "wrong language"),
    ],
)
def test_a_bad_message_is_dropped_with_its_reason(
    user: str, assistant: str, reason: str
) -> None:
    assert marks(*pair(user, assistant)) == [reason]


@pytest.mark.parametrize(
    ("user", "assistant"),
    [
        (ENGLISH, FRENCH),
        ("N/A is no answer.", "N/A n'est pas une réponse."),
        ("Ha ha ha!", "Ha ha ha !"),
        ("Angela Merkel", "Angela Merkel"),
        ("{{name}} has %d new messages", "{{name}} a %d nouveaux messages"),
        ("1,250", "1 250"),
    ],
)
def test_a_good_pair_is_kept(user: str, assistant: str) -> None:
    assert not marks(*pair(user, assistant))


def test_swapped_sides_are_reported_with_both_languages() -> None:
    config = QualityConfig.model_validate(ON)
    messages = [
        {"role": "user", "content": FRENCH},
        {"role": "assistant", "content": ENGLISH},
    ]
    turns = unfold(pl.DataFrame({"messages": [messages]}))
    measures = measure(sides(turns), turns, pl.Series(["all"]), config)
    value = measures.select(quality_rules(config)[-1].value).item()
    assert value.startswith("user is fr, assistant is en: Le magasin")


def test_the_stratum_may_name_the_language_of_each_row() -> None:
    language = LANGUAGE | {"expected": {"user": "stratum", "assistant": "stratum"}}
    both = pair(FRENCH, "le lundi")
    assert not marks(*both, stratum="fr", language=language)
    assert marks(*both, stratum="en", language=language) == ["wrong language"]
    assert not marks(*both, stratum="news", language=language)


def test_repeated_turns_of_a_user_are_not_repetitive() -> None:
    turns = [turn for _ in range(8) for turn in pair("go on", "Encore un mot.")]
    assert not marks(*turns)
    assert marks(*turns[:-1], ("assistant", "mot " * 9)) == ["repetition"]


def test_text_without_a_prompt_must_satisfy_the_rules_too() -> None:
    everything = {"min_letters": 0.2, "same_numbers": True}
    assert not marks(("assistant", FRENCH), **everything)
    assert marks(("assistant", ENGLISH), **everything) == ["wrong language"]


def test_symbols_beside_a_text_are_dropped_if_configured() -> None:
    noise = pair(ENGLISH, "%% 12 -- @@ 77 %%")
    assert not marks(*noise)
    assert marks(*noise, min_letters=0.2) == ["no text"]
    assert not marks(*pair("1 + 1 = ?", "2"), min_letters=0.2)


def test_numbers_of_one_side_only_are_dropped_if_configured() -> None:
    user = "In 1998 they had 12,500 guests."
    right = pair(user, "En 1998 ils avaient 12 500 hôtes.")
    wrong = pair(user, "En 1989 ils avaient 12 500 hôtes.")
    assert not marks(*wrong)
    assert not marks(*right, same_numbers=True)
    assert marks(*wrong, same_numbers=True) == ["numbers differ"]


def test_rules_that_are_off_drop_nothing_of_quality() -> None:
    assert not quality_rules(QualityConfig.model_validate(OFF))
    assert not marks(*pair("null", "\ufffd" * 20), **OFF)


def test_rules_are_picklable_and_an_unknown_language_stops_before_the_first_row() -> (
    None
):
    rules = quality_rules(QualityConfig.model_validate(ON))
    assert [r.reason for r in pickle.loads(pickle.dumps(rules))] == [
        *("lost characters", "placeholder", "repetition", "wrong language"),
    ]
    language = LANGUAGE | {"expected": {"assistant": "klingon"}}
    with pytest.raises(ConfigError):
        quality_rules(QualityConfig.model_validate(ON | {"language": language}))
