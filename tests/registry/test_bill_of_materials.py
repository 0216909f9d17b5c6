"""The bill of materials of a registered version."""

import json
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from lineages import SPLITS, make_lineage

from graft.registry.bill_of_materials import to_bill, to_packages


@pytest.fixture(name="adapter")
def _adapter(tmp_path: Path) -> Path:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")
    return tmp_path / "adapter"


class Package(Distribution):
    """An installed package."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return path


def package(name: str, version: str, *fields: str) -> Package:
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *fields]
    return Package("\n".join(lines) + "\n")


def test_the_bill_of_this_environment_is_valid(adapter: Path) -> None:
    bill = to_bill(make_lineage(), adapter, {"tuned/bleu": 83.06}, distributions())
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    assert errors is None
    names = {one["name"] for one in bill["components"]}
    assert {"torch", "transformers", "peft", "data/splits", "data/sample"} <= names


def test_the_model_has_its_base_files_data_and_scores(adapter: Path) -> None:
    bill = to_bill(make_lineage(), adapter, {"tuned/bleu": 83.06}, [])
    model = bill["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    (base,) = model["pedigree"]["ancestors"]
    assert (base["name"], base["version"]) == ("models/tiny", "909630b2d94d4d07")
    assert base["licenses"] == [{"license": {"id": "MIT"}}]
    (file,) = model["components"]
    assert file["name"] == "adapter_model.safetensors"
    assert len(file["hashes"][0]["content"]) == 64
    card = model["modelCard"]
    assert {"ref": f"data:data/splits@{SPLITS}"} in card["modelParameters"]["datasets"]
    scores = card["quantitativeAnalysis"]["performanceMetrics"]
    assert scores == [{"type": "tuned/bleu", "value": "83.06"}]


def test_equal_inputs_give_an_equal_bill_and_other_weights_another(
    adapter: Path,
) -> None:
    packages = [package("b", "2"), package("a", "1")]
    first = to_bill(make_lineage(), adapter, {}, packages)
    assert to_bill(make_lineage(), adapter, {}, packages[::-1]) == first
    (adapter / "adapter_model.safetensors").write_bytes(b"weightt")
    second = to_bill(make_lineage(), adapter, {}, packages)
    assert second["serialNumber"] != first["serialNumber"]


def test_packages_have_normal_names_licences_and_the_version_first_on_the_path() -> (
    None
):
    found = to_packages(
        [
            package("Ruamel.YAML", "1", "License-Expression: MIT"),
            package("ruamel_yaml", "0"),
            package("a", "2", "License: UNKNOWN"),
            package("b", "3", "License: BSD-3-Clause"),
        ]
    )
    assert [(one.name, one.version) for one in found] == [
        ("a", "2"),
        ("b", "3"),
        ("ruamel-yaml", "1"),
    ]
    licences = [[one.id for one in p.licenses] for p in found]  # type: ignore[union-attr]
    assert licences == [[], ["BSD-3-Clause"], ["MIT"]]
    assert str(found[2].purl) == "pkg:pypi/ruamel-yaml@1"
