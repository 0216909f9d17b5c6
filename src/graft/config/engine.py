"""Where the data stages work."""

from typing import Literal

from graft.config.section import Section


class EngineConfig(Section):
    """An engine, and the address of its cluster; none: one is started here.

    It stands in the section `data`, and no stage but convert reruns when it changes:
    every engine writes the same bytes.
    """

    name: Literal["local", "ray"]
    cluster: str | None
