"""params.yaml as one checked value.

An unknown key, a missing key, a value out of range or a pair that cannot work is a
`ConfigError`, and all of them are told at once.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from graft import config
from graft.config import Section
from graft.errors import ConfigError, DataError

PARAMS = Path("params.yaml")


class Params(Section):
    """All of params.yaml."""

    data: config.DataConfig
    convert: config.ConvertConfig
    preprocess: config.PreprocessConfig
    validate_: config.ValidateConfig = Field(alias="validate")
    tokenize: config.TokenizeConfig
    split: config.SplitConfig
    task: config.TaskConfig
    model: config.ModelConfig
    adapter: config.AdapterConfig
    quantization: config.QuantizationConfig
    train: config.TrainConfig
    evaluate: config.EvaluateConfig
    registry: config.RegistryConfig

    def section(self, kind: type[Section]) -> Section:
        """The section of the given class; the engine's is part of `data`."""
        if kind is config.EngineConfig:
            return kind(name=self.data.engine, cluster=self.data.cluster)
        return next(v for v in vars(self).values() if isinstance(v, kind))

    def to_plain(self) -> dict[str, dict[str, Any]]:
        """Plain values by section, as they stand in params.yaml."""
        return self.model_dump(mode="json", by_alias=True)


def load_params(path: Path = PARAMS) -> Params:
    """Read and check params.yaml. Raises: ConfigError naming file and keys."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            str(path), "no such file", fix="run this in the root of the repository"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(str(path), f"not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(str(path), "empty", fix="make it from configs/: graft params")
    return check_params(values, str(path))


def check_params(values: Mapping[str, Any], where: str) -> Params:
    """Check composed values. Raises: ConfigError with every fault found."""
    faults: list[str] = []
    params = None
    try:
        params = Params.model_validate(values)
    except ValidationError as error:
        faults = [_fault(detail) for detail in error.errors()]
    faults += _impossible_pairs(values)
    if faults or params is None:
        count = f"{len(faults)} fault" + "s" * (len(faults) > 1)
        raise ConfigError(
            where,
            count + "".join(f"\n  - {fault}" for fault in faults),
            fix="correct the file of that group in configs/, then: graft params",
        )
    return params


def _fault(detail: ErrorDetails) -> str:
    """One pydantic error as `key: what is wrong`."""
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = _known_keys(detail["loc"][:-1])
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        return f"{key}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    if detail["type"] == "missing":
        return f"{key}: missing"
    message = detail["msg"].removeprefix("Value error, ")
    shown = detail["input"]
    simple = shown is None or isinstance(shown, str | int | float | bool)
    return f"{key}: {message}" + (f" (is {shown!r})" if simple else "")


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """Keys of the section at a place in params.yaml."""
    kind: Any = Params
    for part in loc:
        fields = {f.alias or n: f.annotation for n, f in kind.model_fields.items()}
        kind = fields.get(str(part))
    return [f.alias or name for name, f in getattr(kind, "model_fields", {}).items()]


def _impossible_pairs(values: Mapping[str, Any]) -> list[str]:
    """Values that are right alone and cannot work together."""

    def at(section: str, key: str) -> Any:
        group = values.get(section)
        return group.get(key) if isinstance(group, dict) else None

    faults = []
    if at("quantization", "method") == "none" and at("quantization", "double_quant"):
        faults.append(
            "quantization.double_quant with quantization.method=none: there is "
            "nothing to quantize twice"
        )
    if at("train", "device") == "cpu" and "8bit" in str(at("train", "optimizer")):
        faults.append(
            f"train.optimizer={at('train', 'optimizer')} with train.device=cpu: "
            "8-bit optimizers run on CUDA; use adamw_torch_fused"
        )
    if (at("evaluate", "num_beams") or 1) > 1 and at("evaluate", "temperature"):
        faults.append(
            "evaluate.num_beams > 1 with evaluate.temperature > 0: beam search does "
            "not sample; set one of them back"
        )
    return faults
