"""configs/ → the text of params.yaml, just as DVC composes it for `dvc exp run`."""

import difflib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import yaml

from graft.config.params import PARAMS, Params, check_params
from graft.errors import ConfigError

CONFIGS = Path("configs")
LOGGER = logging.getLogger(__name__)


def compose(overrides: Sequence[str] = (), configs: Path = CONFIGS) -> str:
    """The YAML that Hydra composes (dvc/utils/hydra.py of DVC 3.67 does the same).

    Raises: ConfigError naming what cannot be composed.
    """
    from hydra import compose as compose_groups
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    LOGGER.debug("composing %s with %s", configs.absolute(), list(overrides))
    try:
        with initialize_config_dir(str(configs.absolute()), version_base=None):
            composed = compose_groups("config", overrides=list(overrides))
        OmegaConf.resolve(composed)
        return OmegaConf.to_yaml(composed)
    except (
        HydraException,
        OmegaConfBaseException,
        yaml.YAMLError,
        OSError,  # OmegaConf's, of a file that is no mapping
        ValueError,  # Hydra's, of a defaults list; and of bytes that are not UTF-8
    ) as error:
        text = " ".join(str(error).partition("Config search path")[0].split())
        raise ConfigError(
            " ".join([str(configs), *overrides]),
            f"cannot be composed: {text[:400]}",
            expected="groups and keys that exist in configs/",
            fix=_suggestion(overrides, configs)
            or "correct the file or the override that is named",
        ) from error


def compose_params(overrides: Sequence[str], configs: Path = CONFIGS) -> Params:
    """What configs/ compose to, checked. Raises: ConfigError."""
    return check_params(
        yaml.safe_load(compose(overrides, configs)),
        " ".join([str(configs), *overrides]),
        fix="correct the override, or the file of that group in configs/",
    )


def check_sweep(sweep: str, /) -> None:
    """Check compositions without writing any.

    Args:
        sweep: JSON; a list of overrides for each composition.
    Raises: ConfigError of the first that cannot be composed, or cannot work.
    """
    for overrides in json.loads(sweep):
        compose_params(overrides)


def _suggestion(overrides: Sequence[str], configs: Path) -> str:
    """What the first override that names no group, choice or key may mean; empty if
    there is none, or nothing is near."""
    for override in overrides:
        name, _, value = override.lstrip("+~").partition("=")
        if (folder := configs / name).is_dir():
            known = [f"{name}={path.stem}" for path in sorted(folder.glob("*.yaml"))]
            given = f"{name}={value}"
        else:
            groups = [path.name for path in configs.iterdir() if path.is_dir()]
            known, given = [*_flat(yaml.safe_load(compose((), configs))), *groups], name
        if given not in known and not any(key.startswith(f"{given}.") for key in known):
            near = difflib.get_close_matches(given, known, n=1)
            return f"did you mean {near[0]}?" if near else ""
    return ""


def differences(text: str, params: Path = PARAMS) -> list[str]:
    """Keys whose values differ between params.yaml and a composition, as sentences.

    Raises: ConfigError if params.yaml is there and cannot be read.
    """
    return [
        f"{key}: {values.get('before', '(missing)')!r} in {params}, "
        f"{values.get('after', '(missing)')!r} in configs/"
        for key, values in changes(text, params).items()
    ]


def changes(text: str, params: Path = PARAMS) -> dict[str, dict[str, object]]:
    """Keys whose values differ between params.yaml (`before`) and a composition
    (`after`), with the values; a side that has no such key is left out.

    Raises: ConfigError if params.yaml is there and cannot be read.
    """
    try:
        there = yaml.safe_load(params.read_bytes()) if params.exists() else None
        if not isinstance(there, dict | None):
            raise yaml.YAMLError("not a mapping")
    except yaml.YAMLError as error:
        raise ConfigError(
            str(params),
            f"not valid YAML: {' '.join(str(error).split())}",
            fix="remove it or `git checkout` it, then: graft params",
        ) from error
    left, right = _flat(there or {}), _flat(yaml.safe_load(text))
    sides = {"before": left, "after": right}
    return {
        key: {side: values[key] for side, values in sides.items() if key in values}
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key) or (key in left) != (key in right)
    }


def _flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
