"""Take the pictures of README after `make repro`: docs/images/*.png.

    python scripts/make_screenshots.py [--browser chromium]

Needs Chromium, which Debian has as a package.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

REPORT = Path("predictions/report.html")
IMAGES = Path("docs/images")
SIZE = (1100, 1000)
MOST_BYTES = 300_000


def take(browser: str, page: str, out: Path, size: tuple[int, int]) -> None:
    """Draw a page as it stands after its scripts have run. Raises: SystemExit if the
    browser gives no picture, or one too large to commit."""
    with tempfile.TemporaryDirectory() as profile:
        words = [
            browser,
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}",
            "--virtual-time-budget=15000",
            f"--screenshot={out.absolute()}",
            page,
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if not out.is_file():
        raise SystemExit(f"{browser} took no picture of {page}:\n{done.stderr[-800:]}")
    if (found := out.stat().st_size) > MOST_BYTES:
        raise SystemExit(f"{out} has {found:,} bytes, more than {MOST_BYTES:,}")


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default="chromium")
    args = parser.parse_args()
    if not REPORT.is_file():
        raise SystemExit(f"{REPORT} is not there; first: make repro")
    IMAGES.mkdir(parents=True, exist_ok=True)
    address = REPORT.absolute().as_uri()
    take(args.browser, address, IMAGES / "report.png", SIZE)


if __name__ == "__main__":
    main()
