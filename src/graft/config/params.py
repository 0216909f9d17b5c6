"""params.yaml as one validated value.

Unknown or missing keys, values out of range and invalid combinations raise a
`ConfigError` that lists all of them.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from graft import config
from graft.config import Section
from graft.config.pairs import impossible_pairs
from graft.config.secrets import without_secret
from graft.errors import ConfigError, DataError

PARAMS = Path("params.yaml")
_AFTER_TRAINING = frozenset(
    {
        "engine",
        "generation",
        "evaluate",
        "registry",
        "serving",
        "certificate",
        "monitoring",
    }
)


class Params(Section):
    """All of params.yaml."""

    data: config.DataConfig
    engine: config.EngineConfig
    convert: config.ConvertConfig
    preprocess: config.PreprocessConfig
    validate_: config.ValidateConfig = Field(alias="validate")
    tokenize: config.TokenizeConfig
    split: config.SplitConfig
    task: config.TaskConfig
    prompt: config.PromptConfig
    model: config.ModelConfig
    adapter: config.AnyAdapter
    quantization: config.QuantizationConfig
    train: config.TrainConfig
    generation: config.GenerationConfig
    evaluate: config.EvaluateConfig
    registry: config.GatedRegistryConfig
    serving: config.ServingConfig
    monitoring: config.MonitoringConfig
    certificate: config.CertificateConfig

    def section(self, kind: type[Section]) -> Section:
        """The section of the given class."""
        return next(v for v in vars(self).values() if isinstance(v, kind))

    def of_training(self) -> dict[str, dict[str, Any]]:
        """Plain values by section, without the sections that change no adapter."""
        plain = self.to_plain()
        return {name: plain[name] for name in plain if name not in _AFTER_TRAINING}

    def to_plain(self) -> dict[str, dict[str, Any]]:
        """Plain values by section, as in params.yaml."""
        return self.model_dump(mode="json", by_alias=True)


def load_params(path: Path = PARAMS) -> Params:
    """Read and validate params.yaml. Raises: ConfigError with file and keys."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            str(path), "no such file", fix="run this in the root of the repository"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(str(path), f"not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(
            str(path), "empty", fix="compose it from configs/: graft params"
        )
    return check_params(values, str(path))


def check_params(
    values: Mapping[str, Any],
    where: str,
    fix: str = "correct the file of that group in configs/, then: graft params",
) -> Params:
    """Validate composed values. Raises: ConfigError with all errors found."""
    errors: list[str] = []
    params = None
    try:
        params = Params.model_validate(values)
    except ValidationError as error:
        errors = [_to_line(detail) for detail in error.errors()]
    errors += impossible_pairs(values)
    if errors or params is None:
        count = f"{len(errors)} error" + "s" * (len(errors) > 1)
        raise ConfigError(
            where,
            count + "".join(f"\n  - {line}" for line in errors),
            fix=fix,
        )
    return params


def _to_line(detail: ErrorDetails) -> str:
    """One pydantic error as `key: problem`."""
    names, _ = _place(detail["loc"])
    key = ".".join(names)
    if detail["type"] == "extra_forbidden":
        _, kind = _place(detail["loc"][:-1])
        fields = getattr(kind, "model_fields", {})
        known = [f.alias or name for name, f in fields.items()]
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        return f"{key}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    if detail["type"] == "missing":
        return f"{key}: missing"
    message = detail["msg"].removeprefix("Value error, ")
    shown = detail["input"]
    simple = shown is None or isinstance(shown, str | int | float | bool)
    if isinstance(shown, str):
        shown = without_secret(shown)
    return f"{key}: {message}" + (f" (is {shown!r})" if simple else "")


def _place(loc: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """A location in params.yaml: its keys, and the class of its value.

    For a section with several methods, pydantic inserts the chosen one.
    """
    names: list[str] = []
    kind: Any = Params
    for part in loc:
        chosen = [m for m in get_args(kind) if part in _methods(m)]
        if chosen:
            kind = chosen[0]
            continue
        names.append(str(part))
        fields = getattr(kind, "model_fields", {})
        types = {f.alias or name: f.annotation for name, f in fields.items()}
        kind = types.get(str(part))
    return names, kind


def _methods(kind: Any) -> tuple[Any, ...]:
    """The values of `method` in a class, if it has this key."""
    field = getattr(kind, "model_fields", {}).get("method")
    return get_args(field.annotation) if field else ()
