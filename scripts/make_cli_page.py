"""Write docs/CLI.md: the help of every command.

    python scripts/make_cli_page.py [--check]

--check writes nothing, and fails if the page is out of date.
"""

import argparse
import importlib
import sys
from pathlib import Path

from graft import cli

PAGE = Path("docs/CLI.md")
HEAD = """# Command line

Made by `python scripts/make_cli_page.py` from the commands in `src/graft/commands`. A command that takes `-S` reads `params.yaml`, or with `-S key=value` what `configs/` compose to. With `--json`, stdout has one JSON document with all digits, and notes go to stderr: `graft summary --json | jq .tuned`.
"""


def to_page() -> str:
    """The page, with a table for each command."""
    parts = [HEAD, f"```text\n{cli.usage()}\n```\n"]
    for name in cli.COMMANDS:
        run = importlib.import_module(f"graft.commands.{name}").run
        parser = cli.make_parser(run, composes=True)
        parts += [f"## graft {name}\n", f"{parser.description}\n"]
        actions = parser._actions[1:]  # without --help  # pylint: disable=W0212
        if actions:
            parts += ["| argument | meaning | default |\n|---|---|---|"]
            parts += [*map(to_row, actions), ""]
    return "\n".join(parts)


def to_row(action: argparse.Action) -> str:
    """One argument, as a row of the table."""
    name = ", ".join(action.option_strings) or action.dest.upper()
    if action.option_strings and action.nargs != 0:
        values = " or ".join(action.choices) if action.choices else action.metavar
        name += f" {values or action.dest.upper()}" + " …" * (action.nargs == "+")
    silent = action.default is None or action.default in (False, [])
    default = "" if silent else f"`{action.default}`"
    said = (action.help or "").replace("%%", "%")
    return f"| `{name}` | {said} | {default} |"


def main() -> None:
    """Write or check the page."""
    text = to_page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text("utf-8") != text:
        sys.exit(f"{PAGE} differs; run: python scripts/make_cli_page.py")


if __name__ == "__main__":
    main()
