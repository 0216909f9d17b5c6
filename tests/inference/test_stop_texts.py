"""What is shown of a text, byte by byte, before and at a stop text."""

import pytest

from graft.inference.detokenizer import StreamedText


def shown(template, stop, *parts):
    """What each part of a text returns, and what the end of it does."""
    streamed = StreamedText(template, stop)
    pushed = ["".join(map(streamed.push, part)) for part in parts]
    return [*pushed, streamed.finish()]


@pytest.mark.parametrize(
    ("stop", "parts", "expected"),
    [
        (["\nUser:"], [b"Hi", b"\nUs", b"er", b":", b"x"], ["Hi", "", "", "", "", ""]),
        (["\nUser:"], [b"Hi", b"\nUs", b"e me"], ["Hi", "", "\nUse me", ""]),
        (["aab"], [b"aaa", b"ab!"], ["a", "a", ""]),
        (["abcdef", "c"], [b"abc", b"de", b"x"], ["", "", "ab", ""]),
        (["abcdef", "c"], [b"abc", b"de", b"f"], ["", "", "", ""]),
        (["abcdef", "c"], [b"abc", b"de"], ["", "", "ab"]),
        (["\n\n"], [b" \n", b" a \n", b"\nb"], ["", "a", "", ""]),
        ([], [b" a", b" ", b"\n", b"b "], ["a", "", "", " \nb", ""]),
        ([], [b"\xe2\x82", b"\xac", b"\xff", b"a"], ["", "€", "", "\ufffda", ""]),
        ([], [b"\xe2", b"\x82"], ["", "", "\ufffd"]),
    ],
)
def test_nothing_is_shown_that_may_still_change(template, stop, parts, expected):
    assert shown(template, stop, *parts) == expected


def test_a_text_has_stopped_when_no_earlier_stop_text_can_follow(template):
    streamed = StreamedText(template, ["abcdef", "c"])
    seen = []
    for byte in b"xabcdz":
        streamed.push(byte)
        seen.append(streamed.stopped)
    assert seen == [False] * 5 + [True]
    assert streamed.push(ord("m")) == streamed.finish() == ""


def test_a_stop_text_may_complete_only_when_the_text_ends(template):
    streamed = StreamedText(template, ["ab", "b\ufffd"])
    assert "".join(map(streamed.push, b"xb\xe2")) == "x" and not streamed.stopped
    assert streamed.finish() == "" and streamed.stopped
