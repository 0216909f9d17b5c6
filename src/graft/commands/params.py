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
        override: overrides as group=choice or key=value, as for dvc exp run -S.
        check: write nothing, and fail if params.yaml differs from configs/.
        json: print the changes as one JSON document instead of text.
    """
    text = compose(override or ())
    check_params(yaml.safe_load(text), "configs/")
    lines, changed = differences(text), changes(text)
    if not check:
        io.write_text(PARAMS, text)
        print("\n".join([f"{PARAMS}: {len(lines)} keys changed", *lines]))
    elif lines:
        raise ConfigError(
            str(PARAMS),
            "differs from configs/" + "".join(f"\n  - {line}" for line in lines),
            fix="make the change in configs/ instead, then run: graft params",
        )
    return changed if json else None
