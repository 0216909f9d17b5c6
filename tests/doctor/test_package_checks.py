"""Python, packages against requirements and lock, programs."""

from pathlib import Path

from graft.doctor.packages import (
    check_packages,
    check_programs,
    check_python,
    read_installed,
    read_lock,
    read_required,
)

HERE = {"torch": "2.13.0+cpu", "typing-extensions": "4.1"}


def test_an_old_python_is_an_error() -> None:
    assert check_python((3, 11, 2))[0].status == "ok"
    assert check_python((3, 10, 9))[0].status == "error"


def test_a_local_build_is_the_locked_version() -> None:
    (found,) = check_packages(["torch>=2"], {"torch": "2.13.0"}, HERE)
    assert (found.status, found.found) == ("ok", "all 1 as locked")


def test_packages_that_differ_from_the_lock_are_a_warning() -> None:
    lock = {"torch": "2.14.0", "peft": "0.21"}
    (found,) = check_packages([], lock, HERE)
    assert found.status == "warning" and found.fix == "make install"
    assert "torch 2.13.0+cpu, locked 2.14.0; peft is missing" in found.found


def test_a_requirement_that_is_missing_or_too_old_is_an_error() -> None:
    wanted = ["torch>=3", "peft", "ray>=2; extra == 'ray'", "Typing_Extensions"]
    (found,) = check_packages(wanted, None, HERE)
    assert found.status == "error"
    assert found.found == "torch 2.13.0+cpu, required >=3; peft is missing"


def test_without_a_lock_only_requirements_are_checked() -> None:
    assert check_packages([], None, HERE)[0].status == "ok"
    assert read_lock(Path("no such file")) is None


def test_the_lock_of_the_repository_is_read(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.write_text("# a comment\nA_b[x]==1.2 ; python_version > '3'\nc==2+cpu\n")
    assert read_lock(file) == {"a-b": "1.2", "c": "2"}


def test_what_is_installed_is_read() -> None:
    assert "pydantic" in read_installed()
    assert isinstance(read_required(), list)


def test_a_missing_program_is_an_error() -> None:
    assert check_programs({"git": True})[0].status == "ok"
    (found,) = check_programs({"git": False})
    assert found.status == "error" and "apt-get install git" in found.fix
