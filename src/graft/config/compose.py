"""configs/ → the text of params.yaml, as DVC composes it for `dvc exp run`."""

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
    """Compose configs/ with Hydra, as dvc/utils/hydra.py of DVC 3.67 does.

    Args:
        overrides: overrides of Hydra: group=choice or key=value.
        configs: folder of the groups.
    Returns: the text of params.yaml.
    Raises: ConfigError with the file or override that cannot be composed.
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
        OSError,  # raised by OmegaConf for a file that is not a mapping
        ValueError,  # by Hydra for a defaults list; for bytes that are not UTF-8
    ) as error:
        text = " ".join(str(error).partition("Config search path")[0].split())
        raise ConfigError(
            " ".join([str(configs), *overrides]),
            f"cannot be composed: {text[:400]}",
            expected="groups and keys that exist in configs/",
            fix=_suggestion(overrides, configs)
            or "correct the file or override that the message names",
        ) from error


def compose_params(overrides: Sequence[str], configs: Path = CONFIGS) -> Params:
    """The parameters composed from configs/, validated. Raises: ConfigError."""
    return check_params(
        yaml.safe_load(compose(overrides, configs)),
        " ".join([str(configs), *overrides]),
        fix="correct the override, or the file of the group in configs/",
    )


def check_sweep(sweep: str, /) -> None:
    """Validate each composition of a sweep, without writing params.yaml.

    Args:
        sweep: JSON list of lists of overrides, one for each composition.
    Raises: ConfigError for the first composition that is invalid.
    """
    for overrides in json.loads(sweep):
        compose_params(overrides)


def _suggestion(overrides: Sequence[str], configs: Path) -> str:
    """A correction of the first override whose group, choice or key does not exist;
    empty if all exist, or no name is similar."""
    for override in overrides:
        name, _, value = override.lstrip("+~").partition("=")
        if (folder := configs / name).is_dir():
            names = [f"{name}={path.stem}" for path in sorted(folder.glob("*.yaml"))]
            wrong = f"{name}={value}"
        else:
            groups = [path.name for path in configs.iterdir() if path.is_dir()]
            names = [*_flat(yaml.safe_load(compose((), configs))), *groups]
            wrong = name
        if wrong not in names and not any(key.startswith(f"{wrong}.") for key in names):
            near = difflib.get_close_matches(wrong, names, n=1)
            return f"did you mean {near[0]}?" if near else ""
    return ""


def differences(text: str, params: Path = PARAMS) -> list[str]:
    """Keys whose values differ between params.yaml and a composition: a line for each,
    with both values.

    Args:
        text: the composition, YAML.
        params: params.yaml, which need not exist.
    Raises: ConfigError if params.yaml is not valid YAML.
    """
    return [
        f"{key}: {values.get('before', '(missing)')!r} in {params}, "
        f"{values.get('after', '(missing)')!r} in configs/"
        for key, values in changes(text, params).items()
    ]


def changes(text: str, params: Path = PARAMS) -> dict[str, dict[str, object]]:
    """Keys whose values differ between params.yaml (`before`) and a composition
    (`after`), with the values. A side that lacks the key is omitted.

    Raises: ConfigError if params.yaml is not valid YAML.
    """
    try:
        current = yaml.safe_load(params.read_bytes()) if params.exists() else None
        if not isinstance(current, dict | None):
            raise yaml.YAMLError("not a mapping")
    except yaml.YAMLError as error:
        raise ConfigError(
            str(params),
            f"not valid YAML: {' '.join(str(error).split())}",
            fix="remove the file, or restore it with git checkout; then: graft params",
        ) from error
    before, after = _flat(current or {}), _flat(yaml.safe_load(text))
    sides = {"before": before, "after": after}
    return {
        key: {side: values[key] for side, values in sides.items() if key in values}
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) or (key in before) != (key in after)
    }


def _flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Nested values by dotted key."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
