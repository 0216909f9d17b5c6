"""What the pipeline made, as pandas tables, for notebooks and scripts.

    from graft import results
    results.read_scores()            # metric, system, value, low, high
    results.read_predictions()       # a row for each test example
    results.read_curves()            # losses by step
    results.read_runs()              # the runs of the registered model in MLflow

Each reads what stands under the current folder unless it is given another place.
"""

from pathlib import Path

import pandas as pd

from graft import io
from graft.config import RegistryConfig
from graft.config.params import PARAMS, load_params

SYSTEMS = ("base", "tuned", "difference")


def read_scores(report: Path = Path("reports/evaluate.json")) -> pd.DataFrame:
    """Scores with their 95 % intervals: stratum (empty: all), metric, system (base,
    tuned, difference), value, low, high, num_examples. Strata have no intervals.

    Raises: DataError if there is no such report.
    """
    found = io.read_json(report)
    rows = [
        {
            "stratum": "",
            "metric": metric,
            "system": system,
            "value": value,
            "low": found["intervals"][system][metric][0],
            "high": found["intervals"][system][metric][1],
            "num_examples": found["num_examples"],
        }
        for system in SYSTEMS
        for metric, value in found[system].items()
    ]
    rows += [
        {
            "stratum": stratum["stratum"],
            "metric": metric,
            "system": system,
            "value": value,
            "num_examples": stratum["num_examples"],
        }
        for stratum in found["strata"]
        for system in SYSTEMS[:2]
        for metric, value in stratum[system].items()
    ]
    return pd.DataFrame(rows)


def read_predictions(table: Path = Path("predictions/table")) -> pd.DataFrame:
    """A row for each test example: id, stratum, prompt, references, base, tuned, …

    Raises: DataError if there is no such table.
    """
    found: pd.DataFrame = io.read_table(table).to_pandas()
    return found


def read_curves(folder: Path = Path("curves")) -> pd.DataFrame:
    """Logged values of the training by step, with `part` train or validation."""
    parts = [
        pd.read_csv(folder / f"{part}.csv").assign(part=part)
        for part in ("train", "validation")
    ]
    return pd.concat(parts, ignore_index=True)


def read_runs(
    registry: RegistryConfig | None = None, params: Path = PARAMS
) -> pd.DataFrame:
    """The runs of the registered model, latest first: run_id, name, status, version,
    aliases, parameters (SECTION.KEY) and metrics (SYSTEM/NAME).

    Args:
        registry: the store and the model; by default those of `params`.
    Raises: TrackingError if the store does not answer.
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
    """What `graft compare --out` wrote: a row for each base and variant, whose columns
    are the keys of compare.json, nested ones joined by dots.

    Raises: DataError if there is no compare.json.
    """
    return pd.json_normalize(io.read_json(folder / "compare.json")["rows"])
