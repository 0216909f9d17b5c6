"""The digest of a local model, and its files."""

from pathlib import Path

import pytest

from graft.commands import digest
from graft.config.params import Params
from graft.errors import ModelError
from graft.models.files import (
    check_tokenizer,
    model_digest,
    model_folder,
    tokenizer_digests,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "tokenizer.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    return model


def test_the_digest_changes_with_any_file_that_makes_the_model(folder: Path) -> None:
    before = model_digest(folder)
    seen = {before}
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_bytes(b"other")
        seen.add(model_digest(folder))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    seen.add(model_digest(folder))
    assert len(seen) == 5 and all(len(value) == 16 for value in seen)


def test_the_digest_ignores_a_readme_and_a_log(folder: Path) -> None:
    before = model_digest(folder)
    (folder / "README.md").write_text("made in a hurry")
    (folder / "training_log.json").write_text("{}")
    assert model_digest(folder) == before


def test_another_tokenizer_than_that_of_the_data_is_refused_by_file(
    folder: Path, params: Params
) -> None:
    changes = {"path": str(folder), "tokenizer": None}
    model = params.model.model_copy(update=changes)
    recorded = tokenizer_digests(model)
    check_tokenizer(model, recorded)
    (folder / "tokenizer.json").write_text('{"a": 1}')
    now = tokenizer_digests(model)["tokenizer.json"]
    with pytest.raises(
        ModelError, match=r"model/tokenizer\.json: its digest was"
    ) as no:
        check_tokenizer(model, recorded)
    assert recorded["tokenizer.json"] in str(no.value) and now in str(no.value)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    with pytest.raises(ModelError, match="digest was missing"):
        check_tokenizer(model, recorded)
    library = model.model_copy(update={"tokenizer": "mistral-common:v3"})
    assert not tokenizer_digests(library)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no model"):
        model_digest(tmp_path)
    with pytest.raises(ModelError, match="no such folder"):
        model_digest(tmp_path / "absent")


def test_graft_digest_prints_the_revision(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest.run(folder)
    assert capsys.readouterr().out.strip() == model_digest(folder)
    document = {"path": str(folder), "revision": model_digest(folder)}
    assert digest.run(folder, json=True) == document
    assert capsys.readouterr().out == ""


def test_a_missing_folder_is_not_taken_for_a_hub_id(folder: Path) -> None:
    assert model_folder(str(folder), "0" * 16) == folder
    with pytest.raises(ModelError, match="no such folder"):
        model_folder("models/absent", "0" * 16)
