import json
from dataclasses import asdict
from pathlib import Path

import pytest

from graft.config import ModelConfig
from graft.errors import ModelError, TemplateError
from graft.models.adapter_record import AdapterRecord, check_record, read_record

RECORD = AdapterRecord(
    "models/tiny", "rev1", "hash1", None, {"train": {"seed": 1}}, {"device": "a device"}
)
MODEL = ModelConfig(
    path="models/tiny",
    revision="rev1",
    tokenizer=None,
    num_parameters=1,
    dtype="float32",
    license=None,
)


def test_a_record_survives_writing_and_reading(tmp_path: Path):
    (tmp_path / "graft.json").write_text(json.dumps(asdict(RECORD) | {"more": 1}))
    assert read_record(tmp_path) == RECORD


def test_the_error_of_a_missing_or_partial_record_tells_how_to_make_it(tmp_path: Path):
    with pytest.raises(ModelError, match="dvc pull models/adapter"):
        read_record(tmp_path)
    (tmp_path / "graft.json").write_text('{"base_path": "x"}')
    with pytest.raises(ModelError, match="lacks base_revision, template_hash"):
        read_record(tmp_path)


def test_an_adapter_of_another_base_or_template_is_refused(tmp_path: Path):
    check_record(RECORD, tmp_path, MODEL, "hash1")
    with pytest.raises(TemplateError, match="hash1.*hash2(.|\n)*dvc repro train"):
        check_record(RECORD, tmp_path, MODEL, "hash2")
    other = MODEL.model_copy(update={"revision": "rev2"})
    with pytest.raises(ModelError, match="rev1.*rev2(.|\n)*dvc repro train"):
        check_record(RECORD, tmp_path, other, "hash1")
