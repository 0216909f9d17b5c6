"""Which versions answer: aliases are followed while requests run.

A request keeps the version that it was given when it was admitted. A new version is
loaded and tried beside the old one, and then takes over between two requests. One that
cannot be loaded is refused, and the old one stays.
"""

import asyncio
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from graft.config.serving import CanaryConfig
from graft.errors import GraftError
from graft.inference.requests import GenerationRequest
from graft.monitoring.served_request import Group
from graft.records import Message
from graft.serving.engine import EngineStoppedError, ServingEngine
from graft.serving.errors import ApiError
from graft.serving.served_model import ServedVersion

LOGGER = logging.getLogger("graft.versions")


class Registry(Protocol):
    """What serving reads of the registry; both methods may block."""

    def held(self) -> Mapping[str, str]:
        """The version number of each alias, and of each number that was asked for."""

    def fetch(self, version: str) -> tuple[ServedVersion, Path]:
        """A version, checked, and the folder of its adapter.

        Raises: GraftError if it must not be served.
        """


@dataclass(frozen=True)
class Choice:
    """Which version answers a request.

    Args:
        group: how it was chosen.
        shadow: another version, which answers a copy of it.
    """

    version: ServedVersion
    group: Group
    shadow: ServedVersion | None = None


class ServedVersions:
    """The loaded versions of one registered model.

    Args:
        name: of the registered model.
        reference: alias or number of the version that answers.
        canary: a second version, if any.
    Attributes:
        in_use: requests that have each version, by its id.
    """

    def __init__(
        self,
        name: str,
        reference: str,
        canary: CanaryConfig | None,
        registry: Registry,
        engine: ServingEngine,
    ) -> None:
        self.name, self._reference, self._canary = name, reference, canary
        self._registry, self._engine = registry, engine
        self._loaded: dict[str, ServedVersion] = {}
        self._current: dict[str, str] = {}  # reference → number
        self.refused: dict[str, str] = {}  # number → reason
        self.in_use: Counter[str] = Counter()

    @property
    def main(self) -> ServedVersion:
        """The version that answers. Raises: ApiError 503 if none is loaded yet."""
        number = self._current.get(self._reference)
        if number is None:
            raise ApiError(
                503, "the model is being loaded", code="loading", retry_after_s=2
            )
        return self._loaded[number]

    @property
    def names(self) -> list[str]:
        """All values of the field `model`."""
        versions = [f"{self.name}/{number}" for number in sorted(self._loaded)]
        aliases = [f"{self.name}@{alias}" for alias in self._current]
        base = [f"{self.name}@base"] if self._has_base() else []
        return [self.name, *aliases, *base, *versions]

    @property
    def aliases(self) -> dict[str, str]:
        """The loaded version's number of each alias that is followed."""
        return dict(self._current)

    def choose(self, model: str | None, client: str) -> Choice:
        """The version for a request.

        Args:
            model: NAME, NAME@ALIAS, NAME/NUMBER, or NAME@base, whose answers are named
                NAME/base; None: NAME.
            client: whose requests the canary gets all or none of.
        Raises: ApiError 404 for another name.
        """
        main = self.main
        if model in (None, self.name):
            return self._with_canary(main, client)
        if (named := self._find(str(model))) is not None:
            return Choice(named, "named")
        raise ApiError(
            404,
            f"model: {model!r} is not served; there are {', '.join(self.names)}",
            param="model",
            code="model_not_found",
        )

    def _find(self, model: str) -> ServedVersion | None:
        """The version that is named by an alias or by its id."""
        separator = "@" if "@" in model else "/"
        name, _, which = model.rpartition(separator)
        if name != self.name:
            return None
        number = self._current.get(which) if separator == "@" else which
        if number in self._loaded:
            return self._loaded[number]
        if which == "base" and self._has_base():
            return replace(self.main, version="base", adapter=None)
        return None

    async def refresh(self) -> None:
        """Follow the aliases once. An error of one version is logged, and remembered.

        Raises: GraftError if no version could be loaded.
        """
        held = await asyncio.to_thread(self._registry.held)
        wanted = [self._reference] + ([self._canary.alias] if self._canary else [])
        failure: GraftError | None = None
        for reference in wanted:
            number = held.get(reference)
            if number is None:
                if reference != self._reference:
                    self._current.pop(reference, None)
                continue
            if number in self.refused or self._current.get(reference) == number:
                continue
            try:
                await self._load(number)
            except GraftError as error:
                failure = error
                self.refused[number] = str(error)
                _log(event="refused", version=number, reason=str(error))
                continue
            before = self._current.get(reference)
            self._current[reference] = number
            _log(event="serving", alias=reference, version=number, before=before)
        self.refused = {n: r for n, r in self.refused.items() if n in held.values()}
        await self._drop_unused()
        if failure is not None and self._reference not in self._current:
            raise failure

    async def _load(self, number: str) -> None:
        if number in self._loaded:
            return
        version, folder = await asyncio.to_thread(self._registry.fetch, number)
        if version.adapter is not None:
            await self._engine.add_adapter(version.adapter, folder)
        await self._try(version)
        self._loaded[number] = version

    async def _try(self, version: ServedVersion) -> None:
        """Complete one prompt, so that the first request is not the slowest."""
        template = version.template
        turn = Message(role="user", content="Hello.")
        request = GenerationRequest(
            key=("trial", version.id),
            prompt=template.encode_prompt([turn]),
            max_new_tokens=2,
            adapter=version.adapter,
            template=template,
        )
        try:
            async for _ in self._engine.stream([request]):
                pass
        except EngineStoppedError as error:
            if isinstance(self._engine.failure, GraftError):
                raise self._engine.failure from error
            raise

    async def _drop_unused(self) -> None:
        for number, version in list(self._loaded.items()):
            if number not in self._current.values() and not self.in_use[version.id]:
                del self._loaded[number]
                if version.adapter is not None:
                    await self._engine.remove_adapter(version.adapter)
                _log(event="dropped", version=number)

    def _with_canary(self, main: ServedVersion, client: str) -> Choice:
        canary = self._canary
        number = self._current.get(canary.alias) if canary else None
        if canary is None or number is None or self._loaded[number] == main:
            return Choice(main, "main")
        if share_of(client, number) >= canary.share:
            return Choice(main, "main")
        if canary.shadow:
            return Choice(main, "main", shadow=self._loaded[number])
        return Choice(self._loaded[number], "canary")

    def _has_base(self) -> bool:
        """Whether the base is loaded beside adapters."""
        return any(version.adapter for version in self._loaded.values())

    def to_report(self) -> dict[str, Any]:
        """The state, as GET /admin/versions shows it."""
        return {
            "model": self.name,
            "aliases": self.aliases,
            "loaded": sorted(self._loaded),
            "in_use": {name: n for name, n in self.in_use.items() if n},
            "refused": self.refused,
        }


def share_of(client: str, number: str) -> float:
    """A number in [0, 1) that is always the same for a client and a version; another
    version goes to other clients.

    Args:
        number: of the version, which has digits alone.
    """
    digest = hashlib.sha256(f"{number} {client}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _log(**values: Any) -> None:
    LOGGER.info(json.dumps(values))
