"""A registered version as requests see it, without its weights."""

import re
from dataclasses import dataclass
from pathlib import Path

from graft import io
from graft.data.convert.task import Task
from graft.inference.results import Decoding
from graft.prompts import Template
from graft.serving.checked_version import CheckedVersion, opens_documents
from graft.tracking.versions import ADAPTER, ReadableVersions, RegisteredVersion


@dataclass(frozen=True)
class ServedVersion:
    """What a request needs to know of a version.

    Args:
        name, version: of the registry.
        adapter: its name in the engine; None: the base alone, or a model of its own.
        created_s: seconds since 1970, UTC.
    """

    name: str
    version: str
    adapter: str | None
    template: Template
    task: Task
    decoding: Decoding
    created_s: int

    @property
    def id(self) -> str:
        """`NAME/VERSION`, the name of a model in the API."""
        return f"{self.name}/{self.version}"

    @property
    def opens_documents(self) -> bool:
        """Whether prompts are the beginnings of documents."""
        return opens_documents(self.task)


def fetch_version(
    versions: ReadableVersions, version: RegisteredVersion, folder: Path
) -> Path:
    """Copy a registered version to a folder of its own, once. Returns: the folder.

    It appears as a whole: a copy that was interrupted is made again. A number that was
    given again, after its version was deleted or in another store, is another folder.
    """
    own = f"{version.version}-{version.created_ms}"
    out = folder / re.sub(r"\W", "_", version.name) / own
    if not (out / ADAPTER).is_dir():
        partial = out.with_name(f".{out.name}")
        versions.fetch_model(version, partial)
        io.remove(out)
        partial.replace(out)
    return out


def describe_version(
    version: RegisteredVersion, checked: CheckedVersion
) -> ServedVersion:
    """A version that passed its checks, as requests see it."""
    return ServedVersion(
        name=version.name,
        version=version.version,
        adapter=None if checked.is_full else version.version,
        template=checked.template,
        task=checked.task,
        decoding=checked.decoding,
        created_s=version.created_ms // 1000,
    )
