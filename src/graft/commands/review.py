"""`graft review`: blind review sheets for raters, and scores of their responses."""

from pathlib import Path
from typing import Any, get_args

from graft import io, tracking
from graft.config import RegistryConfig
from graft.errors import ConfigError
from graft.evaluation.predictions import read_predictions
from graft.evaluation.review.key import Key, Kind, read_key, write_key
from graft.evaluation.review.page import to_sheet
from graft.evaluation.review.report import to_metrics, to_report
from graft.evaluation.review.responses import read_responses
from graft.evaluation.review.sampling import sample_items
from graft.evaluation.review.text import to_text
from graft.models.adapter_record import RECORD, read_record
from graft.records import Prediction

KEY, SHEETS = "key.json", "sheets"


def run(
    registry: RegistryConfig,
    *,
    score: list[Path] | None = None,
    key: Path | None = None,
    predictions: Path = Path("predictions/table"),
    requests: Path | None = None,
    adapter: Path = Path("models/adapter"),
    out: Path = Path("review"),
    number: int = 50,
    seed: int = 42,
    journals: Path = Path(".graft"),
    json: bool = False,
) -> dict[str, Any] | None:
    """Create blind review sheets for raters, or score the completed sheets.

    Without --score: send the files in OUT/sheets to the raters, but not OUT/key.json,
    which tells which system wrote which answer.

    With --score: the scores are written to OUT/report.json and OUT/report.txt, and
    logged to the MLflow run of the adapter.

    Args:
        score: completed sheets (CSV or JSON) to score.
        key: key of these sheets; by default OUT/key.json.
        predictions: table of predictions, written by the stage generate.
        requests: request log of graft serve, whose answers are rated instead; score
            them with graft quality --labels.
        adapter: folder of the adapter.
        out: output folder.
        number: number of predictions on each sheet.
        seed: random seed of the sample of predictions and of the order in which the
            two answers are shown.
        journals: folder of the tracking journals.
        json: print one JSON document instead of text. With --score, it is the content
            of report.json; without, the paths of the new files.
    """
    if score:
        document = _score(registry, score, key or out / KEY, out, journals)
    else:
        document = _make_sheets(predictions, requests, adapter, out, number, seed)
    return document if json else None


def _make_sheets(
    predictions: Path,
    requests: Path | None,
    adapter: Path,
    out: Path,
    number: int,
    seed: int,
) -> dict[str, Any]:
    for option, value, minimum in (("--number", number, 1), ("--seed", seed, 0)):
        if value < minimum:
            raise ConfigError(option, f"is {value}", expected=f"{minimum} or more")
    rows = _read_answers(requests) if requests else read_predictions(predictions)
    has_record = (adapter / RECORD).is_file() and not requests
    run_id = read_record(adapter).run_id if has_record else None
    key = sample_items(rows, number, seed, run_id)
    write_key(out / KEY, key)  # first, because sheets without their key are useless
    examples = {row.id: row for row in rows}
    sheets: dict[str, str] = {}
    print(f"{key.sheet}: send to the raters:")
    for kind in get_args(Kind):
        if items := key.items(kind):
            path = out / SHEETS / f"{kind}.html"
            io.write_text(path, to_sheet(kind, key, examples))
            sheets[kind] = str(path)
            print(f"  {path}, {len(items)} items")
    if requests:
        print(f"next:\n  graft quality --labels FILES --key {out / KEY}")
        return _document(key, sheets, out)
    if not key.ab:
        print("  no pairs: base and tuned model give the same answer to every prompt")
    print(f"do not send:\n  {out / KEY}, which tells which system wrote which answer")
    if run_id is None:
        why = "contains no run" if has_record else "is missing"
        print(f"no MLflow run: {adapter / RECORD} {why}, so scores will not be logged")
    print(f"next:\n  graft review --score FILES --key {out / KEY} --out {out}")
    return _document(key, sheets, out)


def _document(key: Key, sheets: dict[str, str], out: Path) -> dict[str, Any]:
    return {
        "sheet": key.sheet,
        "sheets": sheets,
        "key": str(out / KEY),
        "run_id": key.run_id,
    }


def _read_answers(requests: Path) -> list[Prediction]:
    from graft.monitoring.quality.answers import COLUMNS, to_predictions
    from graft.monitoring.request_log import read_rows

    return to_predictions(read_rows(requests, columns=COLUMNS), str(requests))


def _score(
    registry: RegistryConfig,
    files: list[Path],
    key_path: Path,
    out: Path,
    journals: Path,
) -> dict[str, Any]:
    """Write and log the report of the completed sheets; returns it."""
    key = read_key(key_path)
    report = to_report(
        key, [cell for path in files for cell in read_responses(path, key)]
    )
    text = to_text(report)
    paths = [out / "report.json", out / "report.txt"]
    io.write_json(paths[0], report)
    io.write_text(paths[1], text)
    print(text)
    print(f"see     {', '.join(map(str, paths))}")
    if key.run_id is None:
        print("logged  nowhere: the key contains no MLflow run")
        return report
    journal = journals / f"review-{key.run_id}.jsonl"
    with tracking.start_run(registry, journal, run_id=key.run_id) as tracked:
        tracked.log_metrics(to_metrics(report))
        for path in paths:
            tracked.log_artifact(path, "review")
        if tracked.wait():
            print(f"logged  MLflow run {key.run_id}")
    return report
