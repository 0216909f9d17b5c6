"""The section `monitoring.telemetry`."""

from typing import Annotated

from pydantic import Field

from graft.config.section import Section

Port = Annotated[int, Field(ge=0, le=65535)]
Text = Annotated[str, Field(min_length=1)]


class TelemetryConfig(Section):
    """Where `graft serve` exports metrics and traces."""

    host: Text
    port: Port | None
    otlp_endpoint: Text | None
