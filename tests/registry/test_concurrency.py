"""Two processes that promote at once leave one consistent log, in every store."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from mlflow_server import server
from registered_versions import Registered, predict, registry_at

from graft.config import GatedRegistryConfig
from graft.registry.decisions import champions
from graft.registry.log import DecisionLog
from graft.tracking.claims import Claims
from graft.tracking.versions import Versions

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
HERE = Path(__file__).parent
SCRIPT = HERE / "promote_many.py"


def promote_at_once(uri: str, each: int, users: tuple[str, str] = ("", "")) -> None:
    """Two processes, each of which promotes so many times."""
    processes = []
    for name, user in zip(("one", "other"), users, strict=True):
        paths = [str(HERE.parent / "samples"), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        if user:
            environment["MLFLOW_TRACKING_USERNAME"] = user
            environment["MLFLOW_TRACKING_PASSWORD"] = PASSWORD
        words = [sys.executable, str(SCRIPT), uri, name, str(each)]
        processes.append(
            subprocess.Popen(  # pylint: disable=consider-using-with
                words, env=environment, stderr=subprocess.PIPE, text=True
            )
        )
    ended = [process.communicate(timeout=540)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended


def check_log(registry: GatedRegistryConfig, number: int) -> None:
    """The log has all decisions, each from the champion before, and the last holds."""
    decisions = DecisionLog.open(registry).read()
    assert len(decisions) == number
    before = None
    for one in decisions:
        assert one.from_version == before
        before = one.to_version
    assert {one.via for one in decisions} == {"one", "other"}
    holder = Versions(registry).holder("champion")
    assert holder is not None and holder.version == before
    assert champions(decisions)[-1] == before


@pytest.mark.parametrize(
    "each", [4, pytest.param(50, marks=pytest.mark.slow)], ids=["8", "100"]
)
def test_two_processes_on_sqlite_write_one_log(
    registry: GatedRegistryConfig, registered: Registered, each: int
) -> None:
    for _ in range(2):
        registered.add(predict(0.5, 20))
    promote_at_once(registry.tracking_uri, each)
    check_log(registry, 2 * each)
    assert registered.models() == ["model"]


def test_a_claim_that_was_left_behind_is_passed_over_after_its_lease(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.client.create_registered_model("model.claim-0")
    now = [0.0]
    claims = Claims(
        Versions(registry).store,
        "model",
        lease_s=5,
        clock=lambda: now[0],
        sleep=lambda _: now.__setitem__(0, now[0] + 1),
    )
    with claims.claim(0) as claim:
        assert claim is not None and 5 < now[0] < 8
        assert sorted(registered.models()) == [
            "model",
            "model.claim-0",
            "model.claim-0.1",
        ]
    assert sorted(registered.models()) == ["model", "model.claim-0"]
    with claims.claim(0) as claim:
        assert claim is not None
        claim.is_used = True
    assert registered.models() == ["model"]


def test_a_claim_that_is_given_back_makes_the_other_look_again(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.client.create_registered_model("model.claim-0")

    def give_back(_: float) -> None:
        registered.client.delete_registered_model("model.claim-0")

    claims = Claims(Versions(registry).store, "model", sleep=give_back)
    with claims.claim(0) as claim:
        assert claim is None


PASSWORD = "correct-horse-battery"
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server on a Unix socket, with an empty database; its address.

    As root it runs as the user postgres, since it refuses root; pytest's folders are
    only the user's own. Clients take the name of the role from the variable PGUSER.
    """
    user = "postgres" if os.geteuid() == 0 else None
    with TemporaryDirectory() as name:
        folder, binaries = Path(name), POSTGRES[-1]
        folder.chmod(0o777)
        data = str(folder / "data")

        def call(*words: str) -> None:
            subprocess.run(
                words, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL
            )

        call(f"{binaries}/initdb", "-D", data, "-U", "postgres", "-A", "trust")
        options = f"-c listen_addresses='' -k {folder}"
        start = ["-o", options, "-l", str(folder / "log"), "-w", "start"]
        call(f"{binaries}/pg_ctl", "-D", data, *start)
        try:
            yield f"postgresql+psycopg2:///postgres?host={folder}"
        finally:
            call(f"{binaries}/pg_ctl", "-D", data, "-m", "fast", "-w", "stop")


needs_postgres = pytest.mark.skipif(
    not POSTGRES, reason="PostgreSQL is not installed: apt-get install postgresql"
)


@pytest.mark.slow
@needs_postgres
@pytest.mark.parametrize("is_served", [False, True], ids=["direct", "served"])
def test_two_processes_on_postgres_write_one_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_served: bool
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PGUSER", "postgres")
    with postgres() as address:
        if not is_served:
            check_store(address, tmp_path)
            return
        with server(tmp_path, address) as uri:
            check_store(uri, tmp_path)


def check_store(uri: str, folder: Path) -> None:
    registered = Registered(uri, folder)
    for _ in range(2):
        registered.add(predict(0.5, 20))
    promote_at_once(uri, 50)
    check_log(registry_at(uri), 100)


@pytest.mark.slow
@needs_postgres
def test_two_users_with_passwords_write_one_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.server import get_app_client

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("MLFLOW_FLASK_SERVER_SECRET_KEY", "a key of this test")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    config = tmp_path / "auth.ini"
    config.write_text(
        "[mlflow]\ndefault_permission = EDIT\nadmin_username = admin\n"
        f"database_uri = sqlite:///{tmp_path}/auth.db\nadmin_password = {PASSWORD}\n"
        # A password is checked with scrypt, 0.1 s for each request that is not cached.
        "auth_cache_ttl_seconds = 60\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(config))
    with (
        postgres() as address,
        server(tmp_path, address, "--app-name", "basic-auth") as uri,
    ):
        users = get_app_client("basic-auth", uri)
        for name in ("ada", "grace"):
            users.create_user(name, PASSWORD)
        registered = Registered(uri, tmp_path)
        for _ in range(2):
            registered.add(predict(0.5, 20))
        promote_at_once(uri, 10, ("ada", "grace"))
        check_log(registry_at(uri), 20)
        found = DecisionLog.open(registry_at(uri)).read()
        assert {one.by for one in found} == {"ada", "grace"}
