"""The section `monitoring.feedback`."""

from typing import Annotated

from pydantic import Field

from graft.config.section import Positive, Section


class FeedbackConfig(Section):
    """What users say about answers, at /v1/feedback."""

    folder: Annotated[str, Field(min_length=1)] | None
    max_bytes: Positive
