"""The section `monitoring.watch`."""

from typing import Annotated

from pydantic import Field

from graft.config.section import Section

Port = Annotated[int, Field(ge=0, le=65535)]
Text = Annotated[str, Field(min_length=1)]


class WatchConfig(Section):
    """`graft watch`: the analyses, and the receiver of alerts."""

    host: Text
    port: Port
    token_file: Text | None
    notify_url: Text | None
