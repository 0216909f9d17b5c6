"""A run as the command line configures it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graft.config import RegistryConfig, ServingConfig
from graft.data.convert.task import Task
from graft.errors import ConfigError, DataError
from graft.models.adapter_record import weights_digest
from graft.serving.batch.local import LocalModel
from graft.serving.batch.openai_rows import OpenAiLayout
from graft.serving.batch.plain_rows import MOST_SEED, find_layout
from graft.serving.batch.remote import RemoteApi
from graft.serving.batch.requests import Completer, Layout
from graft.serving.batch.run import BatchRun
from graft.serving.batch.source import Contents, Source, format_of
from graft.serving.batch.work import WorkFolder
from graft.serving.errors import invalid
from graft.serving.registry_source import RegistrySource
from graft.serving.schemas import SamplingFields
from graft.tracking.local_versions import open_versions

KEY = "GRAFT_API_KEY"


@dataclass(frozen=True)
class Engine:
    """What completes prompts.

    Args:
        model: its name in requests.
        find_task: the task whose fields it takes, if any.
    """

    completer: Completer
    model: str
    find_task: Callable[[], Task | None]


def load_local(registry: RegistryConfig, serving: ServingConfig, cache: Path) -> Engine:
    """The configured version of the registered model, loaded as `graft serve` does."""
    from graft.serving.engine_loader import load_version

    source = RegistrySource(open_versions(registry), cache, serving.version)
    loaded = load_version(source, serving.device, serving.max_context_tokens)
    version = loaded.version
    weights = weights_digest(source.adapter)
    completer = LocalModel(loaded, weights, serving.slots, serving.guards)
    return Engine(completer, version.id, lambda: version.task)


def connect(
    url: str, model: str | None, *, concurrency: int, patience_s: float
) -> Engine:
    """A running API; its key is in the environment variable GRAFT_API_KEY."""
    api = RemoteApi(
        url,
        os.environ.get(KEY),
        model,
        concurrency=concurrency,
        patience_s=patience_s,
    )
    return Engine(api, api.model, api.find_task)


def to_run(
    source: Path,
    out: Path,
    load: Callable[[], Engine],
    *,
    sampling: Mapping[str, Any],
    seed: int,
    shard_rows: int,
    restart: bool,
) -> BatchRun:
    """A run.

    Args:
        load: called once files and settings have been checked.
        sampling: fields of the body of each request that the input does not contain;
            None: not given.
        seed, shard_rows, restart: as of the layout and the run.
    Raises: ConfigError or DataError if a setting or a file cannot be used.
    """
    rows = Source(source)
    _check_paths(source, out, restart)
    given = {name: value for name, value in sampling.items() if value is not None}
    _check(given, seed, shard_rows)
    engine = load()

    def to_layout(contents: Contents) -> Layout:
        if not contents.is_openai:
            fields = {"model": engine.model, **given}
            where = str(source)
            return find_layout(where, contents.columns, engine.find_task, fields, seed)
        if given or seed:
            raise ConfigError(
                f"--{next(iter(given), 'seed').replace('_', '-')}",
                "each row of OpenAI's batch format has its own settings",
                fix="remove the option, or write it into the bodies",
            )
        if format_of(out)[0] != "jsonl":
            raise DataError(
                str(out),
                "OpenAI's batch format is JSON Lines",
                expected="an output that ends in .jsonl",
            )
        return OpenAiLayout()

    settings = {f"--{name}": str(value) for name, value in given.items()}
    return BatchRun(
        source=rows,
        out=out,
        completer=engine.completer,
        to_layout=to_layout,
        settings={**settings, "--seed": str(seed)},
        shard_rows=shard_rows,
    )


def _check_paths(source: Path, out: Path, restart: bool) -> None:
    format_of(out)
    if out.resolve() == source.resolve():
        raise ConfigError(
            str(out), "is the input", expected="another file", fix="rename the output"
        )
    WorkFolder(out).check_output(restart)


def _check(given: Mapping[str, Any], seed: int, shard_rows: int) -> None:
    if not 0 <= seed <= MOST_SEED:
        expected = f"from 0 to {MOST_SEED}"
        raise ConfigError("--seed", f"is {seed}", expected=expected)
    if shard_rows < 1:
        raise ConfigError("--shard-rows", f"is {shard_rows}", expected="1 or more")
    try:
        SamplingFields.model_validate({"model": "", **given})
    except ValidationError as error:
        wrong = invalid(error.errors(), [])
        name = str(wrong.param).replace("_", "-")
        raise ConfigError(f"--{name}", wrong.message) from error
