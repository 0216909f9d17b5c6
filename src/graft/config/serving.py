"""The section `serving`."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.guards import GuardConfig
from graft.config.section import Positive, Rate, Section, Share

Port = Annotated[int, Field(ge=0, le=65535)]
Name = Annotated[str, Field(min_length=1)]


class CanaryConfig(Section):
    """A second version that receives a share of the requests.

    With `shadow`, it answers copies of them, and its answers are only logged.
    """

    alias: Name
    share: Share
    shadow: bool


class ServingConfig(Section):
    """The API of `graft serve`: where it listens, what it serves, and its limits."""

    host: Name
    port: Port
    version: Name
    canary: CanaryConfig | None
    poll_s: Rate
    device: Literal["auto", "cpu", "cuda"]
    slots: Positive
    max_context_tokens: Positive
    max_open_requests: Positive
    max_open_tokens: Positive
    max_body_bytes: Positive
    deadline_s: Rate
    drain_s: Rate
    keys_file: Name | None
    requests_per_minute: Positive | None
    guards: list[GuardConfig]
    log_texts: bool
