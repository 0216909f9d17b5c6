"""`graft params`: compose configs/ into params.yaml."""

from typing import Any

import yaml

from graft import io
from graft.config.compose import changes, compose, differences
from graft.config.params import PARAMS, check_params
from graft.errors import ConfigError


def run(
    *, override: list[str] | None = None, check: bool = False, json: bool = False
) -> dict[str, Any] | None:
    """Compose configs/ into params.yaml.

    Args:
        override: group=choice or key=value, as for dvc exp run -S.
        check: change nothing, and fail if params.yaml differs.
        json: print the changes as one JSON document.
    """
    text = compose(override or ())
    check_params(yaml.safe_load(text), "configs/")
    found, changed = differences(text), changes(text)
    if not check:
        io.write_text(PARAMS, text)
        print("\n".join([f"{PARAMS}: {len(found)} keys changed", *found]))
    elif found:
        raise ConfigError(
            str(PARAMS),
            "differs from configs/" + "".join(f"\n  - {line}" for line in found),
            fix="move the change to configs/ and run: graft params",
        )
    return changed if json else None
