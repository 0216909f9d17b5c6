"""Take the screenshots in README (docs/images/*.png) after `make repro`.

    python scripts/make_screenshots.py [--browser chromium] [--only report]

Requires Chromium. The MLflow screenshot compares the last two or three runs in the
tracking store.
"""

import argparse
import json
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

from local_stack.processes import free_ports

REPORT = Path("evaluation/report.html")
STORE = "sqlite:///mlflow.db"
IMAGES = Path("docs/images")
MAX_BYTES = 300_000
WAIT_S = 120
REPORT_BOX = (0, 0, 1100, 1000)
MLFLOW_BOX = (200, 10, 1167, 750)
"""Left, top, right and bottom in pixels; excludes MLflow's menu and chat panel."""
MLFLOW_SIZE = (1580, 780)


def take(
    browser: str,
    page: str,
    out: Path,
    size: tuple[int, int],
    box: tuple[int, int, int, int],
) -> None:
    """Take a screenshot of a page after its scripts have run.

    Args:
        browser: the program.
        page: address of the page.
        out: PNG file to write.
        size: width and height of the window in pixels.
        box: left, top, right and bottom of the part to keep, in pixels.
    Raises: SystemExit if the browser fails, or if the file is too large to commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        screenshot = Path(folder, "page.png")
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
            f"--window-size={size[0]},{size[1]}",
            "--virtual-time-budget=30000",
            f"--screenshot={screenshot}",
            page,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not screenshot.is_file():
            raise SystemExit(f"{browser} made no screenshot of {page}:\n{done.stderr}")
        with Image.open(screenshot) as picture:
            picture.crop(box).save(out, optimize=True)
    if (size_bytes := out.stat().st_size) > MAX_BYTES:
        raise SystemExit(f"{out} has {size_bytes:,} bytes, more than {MAX_BYTES:,}")


@contextmanager
def serve_mlflow() -> Iterator[str]:
    """Serve MLflow's web pages on a free local port; yields their address."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", STORE]
    command += ["--workers", "1", "--port", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(address: str) -> None:
    """Wait until the address responds.

    Raises: SystemExit if it does not within WAIT_S seconds.
    """
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    raise SystemExit(f"{address} did not respond within {WAIT_S} s")


def call_api(address: str, method: str, **body: Any) -> Any:
    """The response of a method of MLflow's REST API."""
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/{method}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def comparison_page(address: str) -> str:
    """The address of the page with the validation losses of the last three runs."""
    experiments = call_api(address, "experiments/search", max_results=100)[
        "experiments"
    ]
    ids = [experiment["experiment_id"] for experiment in experiments]
    response = call_api(address, "runs/search", experiment_ids=ids, max_results=3)
    runs = [run["info"] for run in response.get("runs", [])]
    if len(runs) < 2:
        raise SystemExit(
            "fewer than two runs; first run: dvc exp run -S adapter.rank=16"
        )
    query = {
        "runs": [run["run_id"] for run in runs],
        "experiments": sorted({run["experiment_id"] for run in runs}),
        "metric": "validation/loss",
        "plot_metric_keys": ["validation/loss"],
    }
    texts = {key: json.dumps(value) for key, value in query.items()}
    texts["x_axis"] = "step"
    return f"{address}/#/metric?{urllib.parse.urlencode(texts)}"


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
