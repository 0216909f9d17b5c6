"""Take the screenshots of README after `make repro`: docs/images/*.png.

    python scripts/make_screenshots.py [--browser chromium] [--only report]

Needs Chromium. The MLflow screenshot compares the last three runs of the store, which
needs at least two.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

REPORT = Path("predictions/report.html")
STORE = "sqlite:///mlflow.db"
IMAGES = Path("docs/images")
MOST_BYTES = 300_000
WAIT_S = 120
REPORT_BOX = (0, 0, 1100, 1000)
MLFLOW_BOX = (200, 10, 1167, 750)
"""Left, top, right and bottom in pixels: without MLflow's menu and its chat panel."""
MLFLOW_SIZE = (1580, 780)


def take(
    browser: str,
    page: str,
    out: Path,
    size: tuple[int, int],
    box: tuple[int, int, int, int],
) -> None:
    """Take a screenshot of a page after its scripts have run, and crop it to `box`.
    Raises: SystemExit if the browser fails, or the file is too large to commit."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder, "page.png")
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
            f"--window-size={size[0]},{size[1]}",
            "--virtual-time-budget=30000",
            f"--screenshot={drawn}",
            page,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not drawn.is_file():
            raise SystemExit(f"{browser} took no picture of {page}:\n{done.stderr}")
        with Image.open(drawn) as picture:
            picture.crop(box).save(out, optimize=True)
    if (found := out.stat().st_size) > MOST_BYTES:
        raise SystemExit(f"{out} has {found:,} bytes, more than {MOST_BYTES:,}")


@contextmanager
def serve_mlflow() -> Iterator[str]:
    """The address of MLflow's pages, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", STORE]
    server = [*words, "--workers", "1", "--port", port]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(server, stdout=quiet, stderr=quiet) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(address: str) -> None:
    """Return once it answers. Raises: SystemExit if it does not within WAIT_S."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    raise SystemExit(f"{address} did not answer within {WAIT_S} s")


def ask(address: str, what: str, **body: Any) -> Any:
    """An answer of MLflow's REST interface."""
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/{what}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def comparison_page(address: str) -> str:
    """The page with the validation losses of the last three runs."""
    experiments = ask(address, "experiments/search", max_results=100)["experiments"]
    ids = [one["experiment_id"] for one in experiments]
    found = ask(address, "runs/search", experiment_ids=ids, max_results=3)
    runs = [run["info"] for run in found.get("runs", [])]
    if len(runs) < 2:
        raise SystemExit("one run to compare; first: dvc exp run -S adapter.rank=16")
    query = {
        "runs": [run["run_id"] for run in runs],
        "experiments": sorted({run["experiment_id"] for run in runs}),
        "metric": "validation/loss",
        "plot_metric_keys": ["validation/loss"],
    }
    words = {key: json.dumps(value) for key, value in query.items()}
    words["x_axis"] = "step"
    return f"{address}/#/metric?{urllib.parse.urlencode(words)}"


def main() -> None:
    """Take all screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--only", nargs="+", default=["report", "mlflow"])
    args = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    if "report" in args.only:
        if not REPORT.is_file():
            raise SystemExit(f"{REPORT} does not exist; first run: make repro")
        page, out = REPORT.absolute().as_uri(), IMAGES / "report.png"
        take(args.browser, page, out, REPORT_BOX[2:], REPORT_BOX)
    if "mlflow" in args.only:
        with serve_mlflow() as address:
            page, out = comparison_page(address), IMAGES / "mlflow.png"
            take(args.browser, page, out, MLFLOW_SIZE, MLFLOW_BOX)


if __name__ == "__main__":
    main()
