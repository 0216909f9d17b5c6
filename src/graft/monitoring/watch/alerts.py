"""What Alertmanager sends to a webhook: version 4 of its document.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Label = Annotated[str, Field(max_length=1000)]
Labels = Annotated[dict[Label, Label], Field(max_length=50)]


class Alert(BaseModel):
    """One alert. Newer versions of Alertmanager may add fields, which are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Labels = {}
    starts_at: Annotated[datetime, Field(alias="startsAt")]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]

    @property
    def name(self) -> str:
        """The name of its rule."""
        return self.labels.get("alertname", "")

    @property
    def action(self) -> str:
        """What is to be done: `rollback`, `end_canary` or `none`."""
        return self.labels.get("action", "none")

    @property
    def version(self) -> str | None:
        """The version that it is about, as `NAME/NUMBER`."""
        return self.labels.get("version")

    @property
    def key(self) -> str:
        """The same for each time that this alert is sent, until it has ended."""
        return f"{self.fingerprint} {self.starts_at.isoformat()}"

    @property
    def reason(self) -> str:
        """Why something is done about it, in words."""
        return f"{self.name}: {self.annotations.get('summary', 'no summary')}"


class AlertGroup(BaseModel):
    """The document. Newer versions of Alertmanager may add fields, which are
    ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: Literal["4"]
    status: Literal["firing", "resolved"]
    alerts: Annotated[list[Alert], Field(max_length=1000)]
