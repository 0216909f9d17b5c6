"""Canary and shadow with real versions: MLflow's store, adapters, and an engine."""

from pathlib import Path
from typing import Any

import pytest
from served_process import Served, register, serve
from waiting import wait_until

from graft.config.params import load_params
from graft.serving.versions import share_of
from graft.tracking.versions import Versions

ROOT = Path(__file__).parents[2]
NAME = "graft-translation"
USERS = [f"user {number}" for number in range(16)]
SHARE = 0.5
pytestmark = pytest.mark.slow


@pytest.fixture(name="store", scope="module")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose champion is version 1, and whose challenger is version 2. Answers
    do not depend on what else is in the batch."""
    root = tmp_path_factory.mktemp("store")
    register(root, "champion", "challenger", is_exact=True)
    return root


def versions_of(root: Path) -> Versions:
    registry = load_params(ROOT / "params.yaml").registry
    uri = f"sqlite:///{root}/mlflow.db"
    return Versions(registry.model_copy(update={"tracking_uri": uri}))


def ask(served: Served, user: str, model: str = NAME) -> tuple[str, str]:
    """The version that answered, as the header names it, and its text."""
    body = {"model": model, "prompt": "The cat sleeps.", "user": user, "max_tokens": 12}
    found, headers = served.post("/v1/completions", body)
    assert found["model"] == headers["x-graft-version"]
    return headers["x-graft-version"], found["choices"][0]["text"]


def test_a_canary_answers_the_same_users_until_its_alias_is_taken_away(
    store: Path,
) -> None:
    canary = f"{{alias: challenger, share: {SHARE}, shadow: false}}"
    with serve(store, canary=canary, poll_s=0.2) as served:
        wait_until(lambda: served.logged(event="serving", alias="challenger"))
        own = {n: ask(served, "any", f"{NAME}/{n}")[1] for n in ("1", "2")}
        assert own["1"] != own["2"]
        expected = {user: "2" if share_of(user, "2") < SHARE else "1" for user in USERS}
        assert set(expected.values()) == {"1", "2"}
        for _ in range(2):
            found = {user: ask(served, user) for user in USERS}
            assert found == {
                user: (f"{NAME}/{number}", own[number])
                for user, number in expected.items()
            }
        versions_of(store).delete_alias("challenger")  # the rollback: one call
        wait_until(lambda: {ask(served, user)[0] for user in USERS} == {f"{NAME}/1"})
    versions_of(store).set_alias("challenger", "2")


def test_a_shadow_answers_copies_for_the_log_alone(store: Path) -> None:
    shadow = "{alias: challenger, share: 1.0, shadow: true}"
    with serve(store, canary=shadow, poll_s=0.2, log_texts=True) as served:
        wait_until(lambda: served.logged(event="serving", alias="challenger"))
        champion = ask(served, "any", f"{NAME}/1")[1]
        challenger = ask(served, "any", f"{NAME}/2")[1]
        for user in USERS[:4]:
            assert ask(served, user) == (f"{NAME}/1", champion)

        def copies() -> list[dict[str, Any]]:
            return served.logged(version=f"{NAME}/2", group="shadow")

        wait_until(lambda: len(copies()) == 4)
        assert [one["texts"] for one in copies()] == [[challenger]] * 4
        assert {one["outcome"] for one in copies()} == {"completed"}
