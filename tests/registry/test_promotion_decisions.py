"""What a log says, whatever was decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.errors import TrackingError
from graft.registry.answers import to_history, to_text
from graft.registry.decisions import (
    Action,
    Decision,
    champions,
    from_lines,
    previous_champion,
    to_line,
    was_rolled_back,
)

FAILED = ({"rule": "gain", "passed": False, "found": "+0.1", "sufficient": "+0.6"},)


def decision(action: Action, before: str | None, version: str) -> Decision:
    checks = FAILED if action == "refuse" else ()
    at = "2026-11-27T10:00:00.000+00:00"
    return Decision(
        action, "model", before, version, at, "ada", "graft promote", checks=checks
    )


@st.composite
def logs(draw: st.DrawFn) -> list[Decision]:
    """Decisions as they may follow each other."""
    found: list[Decision] = []
    champion: str | None = None
    for version, action in draw(
        st.lists(
            st.tuples(st.sampled_from("123456"), st.sampled_from(["promote", "refuse"]))
        )
    ):
        kind: Action = "refuse" if action == "refuse" else "promote"
        if version != champion:
            found.append(decision(kind, champion, version))
            champion = found[-1].champion
        elif (earlier := previous_champion(found, champion)) is not None:
            found.append(decision("rollback", champion, earlier))
            champion = earlier
    return found


@given(logs())
def test_a_log_is_read_as_it_was_written(decisions: list[Decision]) -> None:
    lines: list[str] = []
    for one in decisions:
        lines.append(to_line(one, lines))
    read = from_lines(lines)
    assert [one.champion for one in read] == [one.champion for one in decisions]


@given(logs(), st.data())
def test_a_log_without_one_of_its_lines_is_damaged(
    decisions: list[Decision], data: st.DataObject
) -> None:
    lines: list[str] = []
    for one in decisions:
        lines.append(to_line(one, lines))
    if len(lines) > 1:
        del lines[data.draw(st.integers(0, len(lines) - 2))]
        with pytest.raises(TrackingError, match="does not follow"):
            from_lines(lines)


@given(logs())
def test_the_last_champion_is_the_present_one(decisions: list[Decision]) -> None:
    current = next((one.champion for one in reversed(decisions)), None)
    assert champions(decisions)[-1:] == ([current] if current else [])


@given(logs())
def test_rollbacks_end_at_the_first_champion(decisions: list[Decision]) -> None:
    found = list(decisions)
    current = found[-1].champion if found else None
    seen = []
    while (earlier := previous_champion(found, current)) is not None:
        found.append(decision("rollback", current, earlier))
        assert current is not None and was_rolled_back(found, current)
        seen.append(current := earlier)
        assert len(seen) <= len(decisions)


def test_the_champion_before_is_found_if_the_alias_was_moved_by_hand() -> None:
    found = [decision("promote", None, "1"), decision("promote", "1", "2")]
    assert previous_champion(found, "2") == "1"
    assert previous_champion(found, "7") == "2"
    assert previous_champion(found, None) == "2"
    assert previous_champion([], "7") is None


def test_a_rollback_takes_away_what_came_after() -> None:
    found = [decision("promote", None, "1"), decision("promote", "1", "2")]
    found += [decision("promote", "2", "3"), decision("rollback", "3", "1")]
    assert champions(found) == ["1"]
    assert was_rolled_back(found, "3") and not was_rolled_back(found, "2")
    found.append(decision("promote", "1", "3"))
    assert champions(found) == ["1", "3"] and not was_rolled_back(found, "3")


def test_an_answer_says_what_would_have_sufficed() -> None:
    text = to_text(decision("refuse", "1", "2"))
    assert text.splitlines() == [
        "FAIL  gain: +0.1",
        "        would suffice: +0.6",
        "model version 2 is not promoted: gain: +0.1",
    ]
    assert to_text(decision("promote", None, "1")).startswith("model version 1 is ")


def test_the_history_has_a_line_for_each_decision() -> None:
    found = [decision("promote", None, "1"), decision("refuse", "1", "2")]
    head, first, second = to_history(found, "model").splitlines()
    assert head.split()[0] == "#" and "- -> 1" in first
    assert second.split()[:4] == ["2", "2026-11-27", "10:00:00", "refuse"]
    assert second.endswith("gain")
    assert "no decision on model" in to_history([], "model")
