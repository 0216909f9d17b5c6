"""`graft batch`: completions for a file of prompts."""

import sys
from pathlib import Path

from graft.config import RegistryConfig, ServingConfig
from graft.errors import ConfigError, DataError


def run(
    source: Path,
    out: Path,
    /,
    registry: RegistryConfig,
    serving: ServingConfig,
    *,
    url: str | None = None,
    model: str | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    shard_rows: int = 1000,
    concurrency: int = 16,
    patience_s: float = 300.0,
    restart: bool = False,
    cache: Path = Path(".graft/served"),
) -> None:
    """Complete the prompts of a file with a registered version, or a running API.

    A run that was interrupted goes on when the same command is started again.
    docs/SERVING.md has the formats and examples.

    Args:
        source: JSON Lines, CSV or Parquet with a column prompt or messages, or the
            fields of the task; or OpenAI's batch format.
        out: output, whose suffix (.jsonl, .csv, .parquet) is its format.
        url: send the prompts to the API at this address, with the key of the
            environment variable GRAFT_API_KEY; by default, serving.version of the
            registry is loaded.
        model: model that requests to the API name; by default the one that it lists.
        temperature: temperature of sampling; by default that of the evaluation.
        top_p: probability that the most likely tokens reach together; by default 1.
        max_tokens: most tokens of a completion; by default those of the evaluation.
        seed: random seed of sampling.
        shard_rows: rows that are completed together, and kept if the run is
            interrupted.
        concurrency: requests to the API at once.
        patience_s: seconds without any answer of the API after which the run ends.
        restart: begin again, and replace the output.
        cache: folder for copies of registered versions.
    """
    from graft.serving.batch.start import Engine, connect, load_local, to_run

    if model is not None and url is None:
        raise ConfigError(
            "--model",
            "names the model of an API, so it needs --url",
            fix="choose a registered version with -S serving.version=NUMBER",
        )
    if concurrency < 1:
        raise ConfigError("--concurrency", f"is {concurrency}", expected="1 or more")

    def load() -> Engine:
        if url is None:
            return load_local(registry, serving, cache)
        return connect(url, model, concurrency=concurrency, patience_s=patience_s)

    sampling = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens}
    batch = to_run(
        source,
        out,
        load,
        sampling=sampling,
        seed=seed,
        shard_rows=shard_rows,
        restart=restart,
    )
    try:
        counts = batch.run(restart)
    except KeyboardInterrupt:
        print("to go on, run the same command again", file=sys.stderr)
        raise
    total = counts.num_answered + counts.num_failed
    print(
        f"{out}: {total:,} rows = {counts.num_answered:,} answered "
        f"+ {counts.num_failed:,} failed"
    )
    for reason, number in counts.reasons.most_common():
        print(f"  {number:,} × {reason.splitlines()[0]}")
    if total and not counts.num_answered:
        raise DataError(
            str(out),
            f"all {total:,} rows failed",
            expected="at least one answer",
            fix="see the reasons above, correct the input, then add --restart",
        )
