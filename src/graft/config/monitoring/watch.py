"""The section `monitoring.watch`."""

from typing import Annotated

from pydantic import Field

from graft.config.section import Positive, Rate, Section

Port = Annotated[int, Field(ge=0, le=65535)]
Text = Annotated[str, Field(min_length=1)]


class WatchConfig(Section):
    """`graft watch`: the analyses, and the receiver of alerts."""

    host: Text
    port: Port
    token_file: Text | None
    state_file: Text
    max_actions: Positive
    period_s: Rate
    cooldown_s: Rate
    notify_url: Text | None
    candidates: Text
