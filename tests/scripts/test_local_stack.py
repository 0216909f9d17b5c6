"""The stack's processes, files and configuration, without a service."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from waiting import wait_until

import stack
from local_stack.environment import make_ports, make_secrets, to_environment
from local_stack.processes import (
    MARK,
    Running,
    Service,
    end_leftovers,
    free_ports,
    leftovers,
    listens,
)
from local_stack.services import ADDRESSES, with_ports

LISTEN = (
    "import socket, sys, time; "
    "s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(600)"
)


def listener(port: int) -> Service:
    return Service("listener", [sys.executable, "-c", LISTEN, str(port)], port)


def test_a_service_is_ready_when_it_listens_and_ends_with_its_children(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    running = Running(listener(port), tmp_path)
    wait_until(lambda: running.is_ready)
    assert leftovers(tmp_path) == [running.process.pid]
    running.end()
    assert running.has_ended and not listens(port) and not leftovers(tmp_path)


def test_a_service_that_was_killed_is_replaced_with_the_children_that_it_left(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    words = [sys.executable, "-c", LISTEN, str(port)]
    parent = f"import subprocess; subprocess.run({words!r})"
    service = Service("parent", [sys.executable, "-c", parent], port)
    one = stack.Stack(tmp_path)
    one.run(service)
    (first,) = set(leftovers(tmp_path)) - {one.running[0].process.pid}
    one.running[0].process.kill()
    wait_until(lambda: one.running[0].has_ended)
    assert listens(port)
    wait_until(lambda: one.keep() or first not in leftovers(tmp_path))
    wait_until(lambda: listens(port))
    one.end()  # its children are killed, which takes a moment
    wait_until(lambda: not (listens(port) or leftovers(tmp_path)))


def test_what_a_killed_stack_left_is_found_and_ended(tmp_path: Path) -> None:
    code = (
        "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"
    )
    environment = {**os.environ, MARK: str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert len(leftovers(tmp_path)) == 1 and not leftovers(tmp_path / "other")
    assert end_leftovers(tmp_path) == 1
    assert not leftovers(tmp_path)


def test_a_service_ends_if_its_stack_is_killed(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    code = (
        "import sys, time; sys.path[:0] = sys.argv[3:]; from pathlib import Path; "
        "from local_stack.processes import Running, Service; "
        f"command = [sys.executable, '-c', {LISTEN!r}, sys.argv[1]]; "
        "Running(Service('l', command, 1), Path(sys.argv[2])); time.sleep(600)"
    )
    scripts = str(Path(stack.__file__).parent)
    words = [sys.executable, "-c", code, str(port), str(tmp_path), scripts]
    with subprocess.Popen(words) as parent:
        wait_until(lambda: listens(port))
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not listens(port))


def test_secrets_are_kept_and_written_for_their_owner_alone(tmp_path: Path) -> None:
    first = make_secrets({})
    assert len(set(first.values())) == len(first)
    stack.write(tmp_path / "secrets", first)
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert make_secrets(stack.read(tmp_path / "secrets")) == first
    assert not stack.read(tmp_path / "no file")


def test_clients_get_addresses_and_the_passwords_that_they_need() -> None:
    ports, secret = make_ports(), make_secrets({})
    assert len(set(ports.values())) == len(ports)
    values = to_environment(ports, secret)
    assert values["MLFLOW_TRACKING_PASSWORD"] == secret["MLFLOW"]
    assert secret["POSTGRES"] not in values.values()


def test_every_address_of_prometheus_is_replaced() -> None:
    ports = {name: number for number, name in enumerate(ADDRESSES, 1)}
    text = " ".join(f"127.0.0.1:{port}" for port in ADDRESSES.values())
    assert with_ports(text, ports) == "127.0.0.1:1 127.0.0.1:2 127.0.0.1:3 127.0.0.1:4"
