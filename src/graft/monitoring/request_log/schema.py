"""The columns of the request log."""

from typing import Any, NamedTuple

import pyarrow as pa

from graft.monitoring.features import FEATURE_SCHEMA, VERSION, Features
from graft.monitoring.quality.texts import is_refusal, repetition
from graft.monitoring.served_request import ServedRequest


class Column(NamedTuple):
    """A column: its type, and what it means."""

    type: pa.DataType
    meaning: str


COLUMNS = {
    "time_ms": Column(pa.int64(), "arrival, UTC, since 1970"),
    "id": Column(pa.string(), "as in the header `x-request-id`"),
    "route": Column(pa.string(), "path of the route, without values"),
    "status": Column(pa.int16(), "of HTTP; 499 if the client left"),
    "outcome": Column(pa.string(), "see `ServedRequest`"),
    "error": Column(pa.string(), "`code` of the error that was answered"),
    "client": Column(pa.string(), "name of the API key"),
    "unit": Column(pa.string(), "digest of the user, key or address; see Privacy"),
    "version": Column(pa.string(), "`NAME/NUMBER`; null if none was chosen"),
    "group": Column(pa.string(), "how the version was chosen: `main`, `canary`, …"),
    "num_prompt_tokens": Column(pa.int32(), "of all prompts"),
    "num_completion_tokens": Column(pa.int32(), "of all choices"),
    "num_completion_chars": Column(pa.int32(), "of all choices, after the guards"),
    "finishes": Column(pa.list_(pa.string()), "`finish_reason` of each choice"),
    "duration_s": Column(pa.float64(), "from arrival to the last byte"),
    "first_token_s": Column(pa.float64(), "from arrival to the first token"),
    "s_per_token": Column(pa.float64(), "mean after the first; null for many choices"),
    "guards": Column(pa.map_(pa.string(), pa.int32()), "actions of each guard"),
    "num_refusals": Column(pa.int32(), "choices that decline to answer"),
    "repetition": Column(pa.float32(), "highest part of a choice that is repeated"),
    "features_version": Column(pa.int16(), "of the columns `prompt_…`; null without"),
    **{
        field.name: Column(field.type, "feature of the prompt, see `Features`")
        for field in FEATURE_SCHEMA
    },
    "prompt": Column(pa.string(), "what the user wrote; null without texts"),
    "completions": Column(pa.list_(pa.string()), "of each choice; null without texts"),
}
SCHEMA = pa.schema([(name, column.type) for name, column in COLUMNS.items()])


class Texts(NamedTuple):
    """Texts of a request as they may be kept."""

    prompt: str
    completions: list[str]


def to_row(
    request: ServedRequest,
    features: Features | None,
    texts: Texts | None,
    unit: str | None = None,
) -> dict[str, Any]:
    """The row of a request; missing columns are null.

    Args:
        features: of its prompt; None if there is none, or they are not computed.
        texts: None if they are not kept.
        unit: digest of the request's `unit`.
    """
    completions = request.completions
    row: dict[str, Any] = {
        "time_ms": request.time_ms,
        "id": request.id,
        "route": request.route,
        "status": request.status,
        "outcome": request.outcome,
        "error": request.error,
        "client": request.client,
        "unit": unit,
        "version": request.version,
        "group": request.group,
        "num_prompt_tokens": request.num_prompt_tokens,
        "num_completion_tokens": request.num_completion_tokens,
        "num_completion_chars": sum(map(len, completions)),
        "finishes": list(request.finishes),
        "duration_s": request.duration_s,
        "first_token_s": request.first_token_s,
        "s_per_token": request.s_per_token,
        "guards": list(request.guards.items()),
        "num_refusals": sum(map(is_refusal, completions)),
        "repetition": max(map(repetition, completions), default=None),
    }
    if features is not None:
        row |= {"features_version": VERSION, **features.to_row()}
    if texts is not None:
        row |= {"prompt": texts.prompt, "completions": texts.completions}
    return row
