from importlib.metadata import PackageNotFoundError

from graft.tracking.requirements import pinned_requirements

INSTALLED = {
    "torch": ("2.13.0+cpu", ["numpy", "nvidia-cublas==13.1"]),
    "numpy": ("2.3.5", []),
    "web": ("1.0", ['extra-only; extra == "fast"', 'never; python_version < "3"']),
    "extra-only": ("0.2", ["web"]),
}


def describe(name: str) -> tuple[str, list[str]]:
    if name not in INSTALLED:
        raise PackageNotFoundError(name)
    return INSTALLED[name]


def test_requirements_are_pinned_with_all_that_they_depend_on():
    found = pinned_requirements(["torch", "web"], describe)
    assert found == ["numpy==2.3.5", "torch==2.13.0", "web==1.0"]


def test_an_extra_brings_its_own_requirements():
    found = pinned_requirements(["web[fast]"], describe)
    assert found == ["extra-only==0.2", "web==1.0"]


def test_a_package_that_is_not_installed_is_required_without_a_version():
    assert pinned_requirements(["mlflow"], describe) == ["mlflow"]


def test_no_version_of_this_machine_has_a_local_label():
    found = pinned_requirements()
    assert all(pin.count("==") == 1 and "+" not in pin for pin in found), found
