"""docs/CLI.md, generated from the commands."""

from pathlib import Path

import make_cli_page
from graft.cli import COMMANDS

ROOT = Path(__file__).parents[2]


def test_the_page_of_this_repository_is_up_to_date() -> None:
    shown = (ROOT / make_cli_page.PAGE).read_text("utf-8")
    assert shown == make_cli_page.to_page(), "run: python scripts/make_cli_page.py"


def test_every_command_has_a_section() -> None:
    parts = make_cli_page.to_page().split("\n## graft ")[1:]
    assert [part.split("\n")[0] for part in parts] == list(COMMANDS)
