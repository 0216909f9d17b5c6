"""The services of deploy/compose as processes: registered, served, broken, rolled back,
killed and started again."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from local_stack_client import Client, Stack, processes, status_of, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(name="stack")
def _stack() -> Iterator[Stack]:
    """In a folder through which PostgreSQL's user passes, unlike those of pytest."""
    with TemporaryDirectory(prefix="graft-stack-") as name:
        Path(name).chmod(0o755)
        stack = Stack(Path(name) / "stack")
        try:
            yield stack
        finally:
            stack.end()


COUNT = """
import boto3
print(boto3.client("s3").list_objects_v2(Bucket="mlflow")["KeyCount"])
"""
NUM_KILLS = 12


def test_a_champion_is_served_swapped_and_rolled_back_and_no_secret_is_logged(
    stack: Stack, tmp_path: Path
) -> None:
    client, log = Client(stack.folder), stack.log
    assert (stack.folder / "env").stat().st_mode & 0o077 == 0
    experiments = "/api/2.0/mlflow/experiments/search?max_results=1"
    assert status_of(client.values["MLFLOW_TRACKING_URI"] + experiments)[0] == 401
    client.register(tmp_path / "first", "champion")
    assert int(client.run("-c", COUNT)) > 4
    wait_for(lambda: client.ask() == (200, "1"), log)
    assert client.ask("another key")[0] == 401
    client.register(tmp_path / "second", "champion")
    wait_for(lambda: client.ask() == (200, "2"), log)
    client.graft("rollback", "--to", "1", "--reason", "the second one is worse")
    wait_for(lambda: client.ask() == (200, "1"), log)
    stack.end()
    assert not processes(stack.folder)
    secrets = (stack.folder / "secrets").read_text("utf-8").split()
    files = [log, *stack.folder.glob("logs/*.log")]
    texts = [file.read_text("utf-8", "replace") for file in files]
    assert not [one for one in secrets for text in texts if one.split("=")[1] in text]


def wait_for_all(client: Client, names: set[str], log: Path) -> None:
    """Wait until all tags and objects of these names are there."""
    wait_for(lambda: client.tags() >= names, log)
    wait_for(lambda: client.objects() == names, log)


def test_what_was_acknowledged_survives_kills_at_random(
    stack: Stack, tmp_path: Path
) -> None:
    """Each time, a tag and an object are written, then a process of a service or the
    stack itself is killed; the API must answer again, with nothing lost."""
    seed = random.randrange(10**6)
    print("seed", seed)  # pytest shows it if the test fails
    chance = random.Random(seed)
    client = Client(stack.folder)
    client.register(tmp_path / "first", "champion")
    wait_for(lambda: client.ask() == (200, "1"), stack.log)
    for number in range(NUM_KILLS):
        client.tag(str(number))
        client.put(str(number))
        victims = sorted(processes(stack.folder).items())
        if number % 4 == 3:
            print("kill the stack")
            stack.kill()
            client = stack.start()
        else:
            pid, command = chance.choice(victims)
            print("kill", command)
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: client.ask() == (200, "1"), stack.log)
        wait_for_all(client, {str(one) for one in range(number + 1)}, stack.log)
