import threading
import time

from graft.doctor.findings import Finding, examine, to_text
from graft.errors import StorageError


def test_findings_come_in_the_order_of_the_checks() -> None:
    first = threading.Event()

    def late() -> list[Finding]:
        assert first.wait(20)
        return [Finding("a", "ok", "1"), Finding("a", "ok", "2")]

    def early() -> list[Finding]:
        first.set()
        return [Finding("b", "ok", "3")]

    found = examine({"a": late, "b": early}, 30)
    assert [one.found for one in found] == ["1", "2", "3"]


def test_a_check_that_hangs_is_a_warning_and_does_not_hold_up_the_others() -> None:
    end = threading.Event()

    def hang() -> list[Finding]:
        end.wait(60)
        return []

    began = time.monotonic()
    found = examine({"disk": hang, "b": lambda: [Finding("b", "ok", "")]}, 0.5)
    end.set()
    assert time.monotonic() - began < 30
    assert [(one.subject, one.status) for one in found] == [
        ("disk", "warning"),
        ("b", "ok"),
    ]


def test_a_check_that_raises_is_an_error_with_its_fix_and_without_secrets() -> None:
    def refused() -> list[Finding]:
        raise StorageError("https://ann:pa55@host/x", "refused", fix="mend it")

    def broken() -> list[Finding]:
        raise ValueError("https://ann:pa55@host/x")

    found = examine({"a": refused, "b": broken}, 20)
    assert [one.status for one in found] == ["error", "error"]
    assert found[0].fix == "mend it"
    assert "pa55" not in to_text(found)


def test_the_text_counts_errors_and_warnings() -> None:
    text = to_text(
        [Finding("disk", "error", "full", "free some"), Finding("b", "ok", "")]
    )
    assert "error    disk  full\n" in text and "fix: free some" in text
    assert text.endswith("1 error, 0 warnings")
