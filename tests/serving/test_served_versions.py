"""Which version answers while aliases move."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graft.config.serving import CanaryConfig
from graft.errors import ModelError
from graft.inference.results import Decoding
from graft.serving.errors import ApiError
from graft.serving.served_model import ServedVersion
from graft.serving.versions import Choice, ServedVersions, share_of
from graft.tasks import get_task


class Letters:
    """As much of a template as is used here."""

    hash = "abc"

    def encode_prompt(self, messages: Sequence[Any]) -> list[int]:
        return list(messages[-1]["content"].encode())


LETTERS: Any = Letters()


def version(number: str) -> ServedVersion:
    return ServedVersion(
        name="translator",
        version=number,
        adapter=number,
        template=LETTERS,
        task=get_task("translation"),
        decoding=Decoding(max_new_tokens=8),
        created_s=0,
    )


class FakeRegistry:
    """A registry whose aliases a test moves; versions in `broken` cannot be served."""

    def __init__(self, **aliases: str) -> None:
        self.aliases, self.broken = aliases, set[str]()
        self.fetched: list[str] = []

    def held(self) -> Mapping[str, str]:
        return self.aliases | {n: n for n in self.aliases.values()}

    def fetch(self, number: str) -> tuple[ServedVersion, Path]:
        self.fetched.append(number)
        if number in self.broken:
            raise ModelError(number, "broken", expected="a good one", fix="train")
        return version(number), Path(number)


class FakeEngine:
    """An engine that notes which adapters it has."""

    failure = None

    def __init__(self) -> None:
        self.adapters: set[str] = set()

    async def add_adapter(self, name: str, folder: Path) -> None:
        assert folder == Path(name)
        self.adapters.add(name)

    async def remove_adapter(self, name: str) -> None:
        self.adapters.remove(name)

    async def stream(self, requests: Sequence[Any]) -> Any:
        assert {row.adapter for row in requests} <= self.adapters
        for row in requests:
            yield [row]


def served(
    registry: FakeRegistry, canary: CanaryConfig | None = None
) -> tuple[ServedVersions, FakeEngine]:
    engine: Any = FakeEngine()
    return ServedVersions("translator", "champion", canary, registry, engine), engine


def run(work: Coroutine[Any, Any, Any]) -> None:
    asyncio.run(work)


def test_before_a_version_is_loaded_requests_are_to_wait() -> None:
    versions, _ = served(FakeRegistry(champion="1"))
    with pytest.raises(ApiError) as caught:
        versions.choose(None, "ann")
    assert caught.value.status == 503 and "Retry-After" in caught.value.headers


def test_a_new_champion_takes_over_and_the_old_one_is_freed() -> None:
    registry = FakeRegistry(champion="1")
    versions, engine = served(registry)
    run(versions.refresh())
    assert versions.choose("translator", "ann").version.version == "1"
    registry.aliases["champion"] = "2"
    run(versions.refresh())
    assert versions.choose("translator", "ann").version.version == "2"
    assert engine.adapters == {"2"}


def test_a_version_with_open_requests_stays_loaded() -> None:
    registry = FakeRegistry(champion="1")
    versions, engine = served(registry)
    run(versions.refresh())
    versions.in_use["translator/1"] += 1
    registry.aliases["champion"] = "2"
    run(versions.refresh())
    assert engine.adapters == {"1", "2"}
    assert versions.choose("translator/1", "ann").version.version == "1"
    versions.in_use["translator/1"] -= 1
    run(versions.refresh())
    assert engine.adapters == {"2"}


def test_a_broken_champion_is_refused_once_and_the_old_one_stays() -> None:
    registry = FakeRegistry(champion="1")
    versions, _ = served(registry)
    run(versions.refresh())
    registry.aliases["champion"], registry.broken = "2", {"2"}
    for _ in range(3):
        run(versions.refresh())
    assert versions.choose(None, "ann").version.version == "1"
    assert registry.fetched == ["1", "2"]
    assert "broken" in versions.to_report()["refused"]["2"]
    registry.aliases["champion"] = "3"
    run(versions.refresh())
    assert versions.choose(None, "ann").version.version == "3"
    assert not versions.refused


def test_without_any_version_the_error_is_raised() -> None:
    registry = FakeRegistry(champion="1")
    registry.broken = {"1"}
    versions, _ = served(registry)
    with pytest.raises(ModelError, match="broken"):
        run(versions.refresh())


def test_a_canary_answers_its_share_and_always_the_same_clients() -> None:
    registry = FakeRegistry(champion="1", challenger="2")
    canary = CanaryConfig(alias="challenger", share=0.3, shadow=False)
    versions, _ = served(registry, canary)
    run(versions.refresh())
    clients = [f"client {number}" for number in range(1000)]

    def choose(client: str) -> Choice:
        return versions.choose(None, client)

    chosen = [choose(one).version.version for one in clients]
    assert 250 < chosen.count("2") < 350
    assert chosen == [choose(one).version.version for one in clients]
    named = versions.choose("translator@challenger", "x")
    assert (named.version.version, named.group) == ("2", "named")
    groups = {(c.version.version, c.group) for c in map(choose, clients)}
    assert groups == {("1", "main"), ("2", "canary")}


def test_a_shadow_answers_copies_of_its_share() -> None:
    registry = FakeRegistry(champion="1", challenger="2")
    canary = CanaryConfig(alias="challenger", share=1.0, shadow=True)
    versions, _ = served(registry, canary)
    run(versions.refresh())
    choice = versions.choose(None, "ann")
    assert choice.version.version == "1" and choice.shadow == version_of(versions, "2")


def version_of(versions: ServedVersions, number: str) -> ServedVersion:
    return versions.choose(f"translator/{number}", "ann").version


def test_when_the_canary_s_alias_is_taken_away_the_champion_answers_alone() -> None:
    registry = FakeRegistry(champion="1", challenger="2")
    canary = CanaryConfig(alias="challenger", share=1.0, shadow=False)
    versions, engine = served(registry, canary)
    run(versions.refresh())
    del registry.aliases["challenger"]
    run(versions.refresh())
    assert versions.choose(None, "ann").version.version == "1"
    assert engine.adapters == {"1"}


def test_the_base_answers_without_an_adapter() -> None:
    versions, _ = served(FakeRegistry(champion="1"))
    run(versions.refresh())
    base = versions.choose("translator@base", "ann").version
    assert base == replace(version_of(versions, "1"), version="base", adapter=None)
    assert "translator@base" in versions.names
    assert base.id == "translator/base"  # the name that answers bear is accepted, too
    assert versions.choose(base.id, "ann").version == base


def test_shares_are_spread_evenly() -> None:
    shares = sorted(share_of(f"user {number}", "2") for number in range(2000))
    assert all(abs(share - n / 2000) < 0.05 for n, share in enumerate(shares))


def test_the_clients_of_two_canaries_are_drawn_independently() -> None:
    """Otherwise the same clients would meet each bad version."""
    users = [f"user {number}" for number in range(2000)]
    first, second = ({u for u in users if share_of(u, n) < 0.2} for n in ("2", "3"))
    assert 320 < len(first) < 480 and 320 < len(second) < 480
    assert 50 < len(first & second) < 115  # 80 ± 4 standard deviations of 8.6
