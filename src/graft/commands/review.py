"""`graft review`: blind sheets for raters, and the scores of their responses."""

from pathlib import Path
from typing import get_args

from graft import io, tracking
from graft.config import RegistryConfig
from graft.errors import ConfigError
from graft.evaluation.predictions import read_predictions
from graft.evaluation.review.key import Kind, read_key, write_key
from graft.evaluation.review.page import to_sheet
from graft.evaluation.review.report import to_metrics, to_report
from graft.evaluation.review.responses import read_responses
from graft.evaluation.review.sampling import sample_items
from graft.evaluation.review.text import to_text
from graft.models.adapter_record import RECORD, read_record

KEY, SHEETS = "key.json", "sheets"


def run(
    registry: RegistryConfig,
    *,
    score: list[Path] | None = None,
    key: Path | None = None,
    predictions: Path = Path("predictions/table"),
    adapter: Path = Path("models/adapter"),
    out: Path = Path("review"),
    number: int = 50,
    seed: int = 42,
    journals: Path = Path(".graft"),
) -> None:
    """Create blind sheets for raters, or score their responses.

    Send the files in OUT/sheets to the raters, but not OUT/key.json. The scores of
    their responses are written to OUT/report.json and OUT/report.txt, and logged to the
    MLflow run of the adapter.

    Args:
        score: saved sheets, CSV or JSON.
        key: OUT/key.json of these sheets.
        predictions: table of the stage evaluate.
        adapter: folder of the adapter.
        out: output folder.
        number: predictions on each sheet.
        seed: of the sample, and of the order of the two answers.
        journals: folder of the tracking journals.
    """
    if score:
        _score(registry, score, key or out / KEY, out, journals)
    else:
        _make(predictions, adapter, out, number, seed)


def _make(predictions: Path, adapter: Path, out: Path, number: int, seed: int) -> None:
    for flag, value, least in (("--number", number, 1), ("--seed", seed, 0)):
        if value < least:
            raise ConfigError(flag, f"is {value}", expected=f"{least} or more")
    rows = read_predictions(predictions)
    known = (adapter / RECORD).is_file()
    run_id = read_record(adapter).run_id if known else None
    made = sample_items(rows, number, seed, run_id)
    write_key(out / KEY, made)  # first, because sheets without their key are useless
    examples = {row.id: row for row in rows}
    print(f"{made.sheet}: send to the raters")
    for kind in get_args(Kind):
        if items := made.items(kind):
            path = out / SHEETS / f"{kind}.html"
            io.write_text(path, to_sheet(kind, made, examples))
            print(f"  {path}, {len(items)} items")
    if not made.ab:
        print("  no pairs: base and tuned give the same answers everywhere")
    print(f"do not send\n  {out / KEY}, which identifies the systems")
    if run_id is None:
        why = "contains no run" if known else "is missing"
        print(f"no MLflow run: {adapter / RECORD} {why}, so scores will not be logged")
    print(f"then\n  graft review --score FILES --key {out / KEY} --out {out}")


def _score(
    registry: RegistryConfig,
    files: list[Path],
    key_path: Path,
    out: Path,
    journal: Path,
) -> None:
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
        return
    path = journal / f"review-{key.run_id}.jsonl"
    with tracking.start_run(registry, path, run_id=key.run_id) as tracked:
        tracked.log_metrics(to_metrics(report))
        for made in paths:
            tracked.log_artifact(made, "review")
        if tracked.wait():
            print(f"logged  MLflow run {key.run_id}")
