"""deploy/compose: required variables, mounted files, no secret, order, hardening."""

import json
import re
import stat
from pathlib import Path

import pytest
import yaml

import make_env

FOLDER = Path(__file__).parents[2] / "deploy/compose"
TEXT = (FOLDER / "compose.yaml").read_text("utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
EXAMPLE = (FOLDER / ".env.example").read_text("utf-8")


def test_every_variable_is_required_and_documented_and_no_other() -> None:
    used = re.findall(r"\$\{(\w+)(:\?)?", TEXT)
    required = {name for name, mark in used if mark}
    assert {name for name, _ in used} == required
    secrets = {one["environment"] for one in COMPOSE["secrets"].values()}
    assert make_env.read(EXAMPLE).keys() == required | secrets


def test_no_secret_has_a_value_in_the_example() -> None:
    named = re.compile("PASSWORD|KEY|TOKEN")
    values = make_env.read(EXAMPLE)
    assert not {
        name: value for name, value in values.items() if named.search(name) and value
    }


def test_secrets_are_generated_once_in_a_file_of_their_owner(tmp_path: Path) -> None:
    file, example = tmp_path / ".env", FOLDER / ".env.example"
    make_env.write(file, example)
    first = make_env.read(file.read_text("utf-8"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert all(first.values())
    secrets = [
        first[name] for name, value in make_env.read(EXAMPLE).items() if not value
    ]
    assert len(set(secrets)) == len(secrets)
    digests = json.loads(first["API_KEYS"].strip("'"))
    assert re.fullmatch("[0-9a-f]{64}", digests["demo"])
    assert first["GRAFT_API_KEY"] not in first["API_KEYS"]
    make_env.write(file, example)
    assert make_env.read(file.read_text("utf-8")) == first


def test_every_mounted_file_exists_and_every_volume_is_declared() -> None:
    for name, service in SERVICES.items():
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            if source.startswith("${"):
                continue
            if source.startswith("."):
                path = (FOLDER / source).resolve()
                assert path.exists(), (name, mount)
            else:
                assert source in COMPOSE["volumes"], (name, mount)


def test_services_wait_for_others_that_have_a_health_check() -> None:
    in_image = {SERVICES[name]["image"] for name in ("api", "mlflow")}
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            needed = SERVICES[other]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in needed or needed["image"] in in_image, name
            else:
                assert needed["restart"] == "on-failure", (name, other)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened_and_its_ports_are_loopback(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service and "container_name" not in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_database_has_no_port_and_is_apart_from_what_serves() -> None:
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["postgres"]["networks"] == ["stores"]
    assert SERVICES["api"]["networks"] == ["serving"]


def test_addresses_name_services_and_their_ports() -> None:
    ports = {"api": {"8000", "9464"}, "mlflow": {"5000"}, "watch": {"9465"}}
    ports |= {"s3": {"7070"}, "alertmanager": {"9093"}, "prometheus": {"9090"}}
    for host, port in re.findall(r"(?:http://|/)([a-z]\w+):(\d{4})", TEXT):
        assert host in ("localhost",) or port in ports[host], (host, port)
