"""The page in a real browser, as people use it."""

from collections.abc import Iterator

import pytest
from api_server import running
from browser import PROGRAM, Page, open_page
from demo_server import demo_of, wait_until_slots
from endless import endless

from graft.io import read_json_lines

pytestmark = [
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium: apt-get install"),
]
CAN_TRANSLATE = (
    "[...document.querySelectorAll('button')].some("
    "button => button.innerText == 'Translate' && button.offsetParent)"
)
NO_OVERFLOW = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with open_page(tmp_path_factory.mktemp("browser")) as found:
        yield found


def translate(page: Page, text: str) -> None:
    page.type("#translation-source textarea", text)
    page.click("Translate")


def test_users_compare_rate_and_correct_answers(api, page: Page, tmp_path) -> None:
    with demo_of(api.url, tmp_path) as url:
        page.requests.clear()
        page.open(url, 1280, 900)
        translate(page, "The cat sleeps.")
        page.click("Good", within="#card-0")
        # Gradio draws the card anew, and loses a click meanwhile.
        page.wait("document.querySelector('#card-0 button.primary')")
        page.click("Improve", within="#card-0")
        page.type("#card-0 textarea", "Le chat dort.")
        page.click("Save", within="#card-0")
        page.wait("!document.querySelector('#card-0 textarea')?.offsetParent")
        assert page.requests and not page.problems
        assert [
            one for one in page.requests if not one.startswith((url, "data:"))
        ] == []
    ((_, rating),) = read_json_lines(tmp_path / "ratings.jsonl")
    ((_, row),) = read_json_lines(tmp_path / "corrections.jsonl")
    assert (rating["verdict"], rating["version"]) == ("good", "translator/3")
    assert row["fields"] == {"source": "The cat sleeps."}
    assert row["correction"] == "Le chat dort." != row["answer"] == rating["answer"]


def test_nothing_is_wider_than_a_phone(api, page: Page, tmp_path) -> None:
    with demo_of(api.url, tmp_path) as url:
        page.open(url, 390, 844)
        translate(page, "A-very-long-word-without-any-end" * 20)
        assert page.value(NO_OVERFLOW)
        page.click("Improve", within="#card-0")
        page.wait("document.querySelector('#card-0 textarea')?.offsetParent")
        assert page.value(NO_OVERFLOW)


def test_stop_ends_the_answer_and_frees_its_slot(
    loaded, serving, page: Page, tmp_path
) -> None:
    with (
        running(endless(loaded, 900), serving) as api,
        demo_of(api.url, tmp_path) as url,
    ):
        page.open(url, 1280, 900)
        translate(page, "The cat sleeps.")
        wait_until_slots(api, 1)
        page.click("Stop")
        wait_until_slots(api, 0)
        page.wait(CAN_TRANSLATE)
        assert page.value("document.querySelector('#card-0 .assistant').innerText")
