"""The section `monitoring.request_log`."""

from typing import Annotated

from pydantic import Field

from graft.config.section import Positive, Rate, Section

Text = Annotated[str, Field(min_length=1)]


class RequestLogConfig(Section):
    """One Parquet row per request, in shards that appear whole."""

    folder: Text | None
    shard_s: Rate
    max_bytes: Positive
    remote: Text | None
    texts: bool
