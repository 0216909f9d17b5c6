"""The engine of the data stages."""

from typing import Literal, Self

from pydantic import model_validator

from graft.config.section import Section


class EngineConfig(Section):
    """An engine, and the address of its cluster.

    All engines write the same bytes, so changing it reruns nothing.
    """

    name: Literal["local", "ray"]
    cluster: str | None

    @model_validator(mode="after")
    def _local_engine_has_no_cluster(self) -> Self:
        if self.cluster is not None and self.name == "local":
            raise ValueError("cluster is set; set engine=ray to use it")
        return self
