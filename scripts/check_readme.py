"""Run the Python block of README, and compare its output with that in README.

python scripts/check_readme.py            after make repro
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n+^```text\n(?P<shown>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


def shown_in(readme: str) -> tuple[str, str]:
    """The code, and the output below it. Raises: ValueError if one is missing."""
    found = BLOCK.search(readme)
    if found is None:
        raise ValueError("README has no ```python block followed by a ```text block")
    return found["code"], found["shown"]


def run(code: str, folder: Path) -> str:
    """The output of a program; its stderr is shown.

    Raises: CalledProcessError if it fails.
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def main(root: Path = ROOT) -> int:
    """Returns 1 if README shows another output."""
    try:
        code, shown = shown_in((root / "README.md").read_text(encoding="utf-8"))
        printed = run(code, root)
    except (ValueError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if printed != shown:
        print(
            f"error: README.md: its Python block prints\n{printed}"
            f"  expected: the output in README\n{shown}"
            "  fix: find out what changed; if the model is correct, update README",
            file=sys.stderr,
        )
        return 1
    print(f"README's Python block prints the output in README:\n{printed}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
