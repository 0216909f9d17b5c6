"""Names and values as MLflow takes them.

One that it refuses would be lost with all that is sent beside it: a metric's name may
hold what a row says, such as a stratum.
"""

import re

from graft import io

MOST_IN_NAME, MOST_IN_PARAM, MOST_IN_TAG = 250, 6000, 8000
"""Characters (mlflow/utils/validation.py of MLflow 3.17)."""
_OTHER = re.compile(r"[^\w/.\- :]")
_NO_STEP = re.compile(r"(?:(?<=/)|^)(?=/|$)|(?:(?<=/)|^)\.{1,2}(?=/|$)|^\.\.")
"""Parts of a name that are no step of a path: nothing, one or two dots; MLflow takes
no name either that begins with two."""


def to_name(name: str) -> str:
    """The name of a metric, parameter or tag; one that had to be changed ends in a
    digest, so that two stay two."""
    plain = _NO_STEP.sub("_", _OTHER.sub("_", name))
    if plain == name and len(name) <= MOST_IN_NAME:
        return name
    mark = f"-{io.digest(name.encode('utf-8', 'surrogatepass'))[:8]}"
    return plain[: MOST_IN_NAME - len(mark)] + mark


def to_value(value: object, limit: int) -> str:
    """A value's text; a longer one is cut, and ends in an ellipsis."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
