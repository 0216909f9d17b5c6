"""Run the Python block of README, and compare its output with the output in README.

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
    """The Python code in README, and the output below it.

    Raises: ValueError if one of them is missing.
    """
    match = BLOCK.search(readme)
    if match is None:
        raise ValueError("README has no ```python block followed by a ```text block")
    return match["code"], match["shown"]


def run(code: str, folder: Path) -> str:
    """Run Python code, and return its stdout; its stderr is printed.

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
    """Returns 1 if the output in README differs."""
    try:
        code, shown = shown_in((root / "README.md").read_text(encoding="utf-8"))
        printed = run(code, root)
    except (ValueError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if printed != shown:
        print(
            f"error: README.md: the output of its Python block is\n{printed}"
            f"  expected: the output in README\n{shown}"
            "  fix: find the cause; if the new output is correct, update README",
            file=sys.stderr,
        )
        return 1
    print(f"the Python block prints the output in README:\n{printed}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
