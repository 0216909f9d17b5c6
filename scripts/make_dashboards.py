"""Write Grafana's dashboards to deploy/grafana/, or check that they are as written.

python scripts/make_dashboards.py [--check]
"""

import sys
from pathlib import Path

from dashboards import DASHBOARDS
from dashboards.writing import to_json

FOLDER = Path("deploy/grafana")


def main() -> None:
    """Write the files, or compare them."""
    texts = {FOLDER / f"{one.name}.json": to_json(one) for one in DASHBOARDS}
    if "--check" in sys.argv[1:]:
        changed = [path for path, text in texts.items() if not _is(path, text)]
        changed += sorted(set(FOLDER.glob("*.json")) - set(texts))
        if changed:
            names = ", ".join(map(str, changed))
            sys.exit(f"error: {names}: run: python scripts/make_dashboards.py")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


if __name__ == "__main__":
    main()
