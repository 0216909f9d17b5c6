"""The results of the pipeline as pandas tables, for notebooks and scripts.

    from graft import results
    results.read_scores()            # metric, system, value, low, high
    results.read_predictions()       # a row for each test example
    results.read_curves()            # losses by step
    results.read_runs()              # the model's runs in MLflow
    results.read_comparison(folder)  # the output of `graft compare --out`

Default paths are relative to the working directory.
"""

from pathlib import Path

import pandas as pd

from graft import io
from graft.config import RegistryConfig
from graft.config.params import PARAMS, load_params
from graft.errors import DataError

SYSTEMS = ("base", "tuned", "difference")


def read_scores(report: Path = Path("reports/evaluate.json")) -> pd.DataFrame:
    """Scores: columns stratum, metric, system (base, tuned or difference), value, low
    and high (the 95 % interval), num_examples.

    Rows with an empty stratum cover all examples. Rows of a stratum have no interval.

    Raises: DataError if the report does not exist.
    """
    document = io.read_json(report)
    rows = [
        {
            "stratum": "",
            "metric": metric,
            "system": system,
            "value": value,
            "low": document["intervals"][system][metric][0],
            "high": document["intervals"][system][metric][1],
            "num_examples": document["num_examples"],
        }
        for system in SYSTEMS
        for metric, value in document[system].items()
    ]
    rows += [
        {
            "stratum": stratum["stratum"],
            "metric": metric,
            "system": system,
            "value": value,
            "num_examples": stratum["num_examples"],
        }
        for stratum in document["strata"]
        for system in SYSTEMS[:2]
        for metric, value in stratum[system].items()
    ]
    return pd.DataFrame(rows)


def read_predictions(table: Path = Path("predictions/table")) -> pd.DataFrame:
    """A row for each test example: id, stratum, prompt, references, base, tuned, …

    Raises: DataError if the table does not exist.
    """
    frame: pd.DataFrame = io.read_table(table).to_pandas()
    return frame


def read_curves(folder: Path = Path("curves")) -> pd.DataFrame:
    """Metrics of the training by step; the column `part` is train or validation.

    Raises: DataError if train.csv or validation.csv does not exist.
    """
    frames = []
    for part in ("train", "validation"):
        path = folder / f"{part}.csv"
        if not path.is_file():
            raise DataError(
                str(path),
                "no such file",
                expected="loss curves, written by the stage train",
                fix="run the stage (dvc repro train), or fetch its output (dvc pull "
                "curves); from another working directory, pass the folder",
            )
        frames.append(pd.read_csv(path).assign(part=part))
    return pd.concat(frames, ignore_index=True)


def read_runs(
    registry: RegistryConfig | None = None, params: Path = PARAMS
) -> pd.DataFrame:
    """The runs of the registered model, latest first: run_id, name, status, version,
    aliases, parameters (SECTION.KEY) and metrics (SYSTEM/NAME).

    Args:
        registry: names the tracking store and the model; by default the section
            `registry` of the file `params`.
    Raises: TrackingError if the store does not respond.
    """
    from graft.tracking.history import History

    runs = History(registry or load_params(params).registry).runs()
    return pd.DataFrame(
        [
            {
                "run_id": run.run_id,
                "name": run.name,
                "status": run.status,
                "version": run.version,
                "aliases": ", ".join(run.aliases),
                **run.params,
                **run.metrics,
            }
            for run in runs
        ]
    )


def read_comparison(folder: Path) -> pd.DataFrame:
    """The output of `graft compare --out FOLDER`: a row for each base and variant. The
    columns are the keys of compare.json, such as `scores.bleu.value`.

    Raises: DataError if FOLDER has no compare.json.
    """
    return pd.json_normalize(io.read_json(folder / "compare.json")["rows"])
