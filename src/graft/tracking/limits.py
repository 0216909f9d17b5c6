"""Names and values that MLflow accepts.

If MLflow rejects one, everything sent in the same request is lost. Names of metrics may
contain text from the data, such as a stratum.
"""

import re

from graft import io

MOST_IN_NAME, MOST_IN_PARAM, MOST_IN_TAG = 250, 6000, 8000
"""Characters (mlflow/utils/validation.py of MLflow 3.17)."""
_OTHER = re.compile(r"[^\w/.\- :]")
_NO_STEP = re.compile(r"(?:(?<=/)|^)(?=/|$)|(?:(?<=/)|^)\.{1,2}(?=/|$)|^\.\.")
"""Parts of a name that are not valid in a path: empty, one or two dots. MLflow also
rejects names that begin with two dots."""


def to_name(name: str) -> str:
    """A valid name of a metric, parameter or tag. A name that had to be changed ends in
    a digest, so that different names stay different."""
    plain = _NO_STEP.sub("_", _OTHER.sub("_", name))
    if plain == name and len(name) <= MOST_IN_NAME:
        return name
    mark = f"-{io.digest(name.encode('utf-8', 'surrogatepass'))[:8]}"
    return plain[: MOST_IN_NAME - len(mark)] + mark


def to_value(value: object, limit: int) -> str:
    """A value as text, truncated with an ellipsis if it is longer than `limit`."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
