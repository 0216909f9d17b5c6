"""The section `monitoring.request_log`."""

from typing import Annotated

from pydantic import Field

from graft.config.pii import Region
from graft.config.section import Positive, Rate, Section

Text = Annotated[str, Field(min_length=1)]


class RequestLogConfig(Section):
    """One Parquet row per request, in shards that appear whole.

    `regions` are countries whose telephone numbers are found without a country code, to
    be replaced in texts that are kept.
    """

    folder: Text | None
    shard_s: Rate
    max_bytes: Positive
    remote: Text | None
    texts: bool
    regions: list[Region]
