"""The engine of the data stages."""

from typing import Literal

from graft.config.section import Section


class EngineConfig(Section):
    """An engine, and the address of its cluster; null: start one here.

    It is part of the section `data`. All engines write the same bytes, so changing it
    reruns only convert.
    """

    name: Literal["local", "ray"]
    cluster: str | None
