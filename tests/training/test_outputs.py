from dataclasses import replace
from pathlib import Path

import pytest
from small_training import make_documents

from graft.errors import TemplateError
from graft.io import write_json
from graft.training.checkpoints import Progress
from graft.training.outputs import check_template, to_report, write_curves

DONE = Progress(
    step=2, num_tokens=90, best_step=1, best_loss=1.23456, worse_in_a_row=1, history=[]
)


def test_data_of_another_template_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "tokenize.json", {"template_hash": "old"})
    check_template(tmp_path / "tokenize.json", "old")
    with pytest.raises(TemplateError, match="template old, but the current one is new"):
        check_template(tmp_path / "tokenize.json", "new")


def test_each_split_has_a_curve_of_its_steps(tmp_path: Path) -> None:
    history = [
        {"step": 1, "train/loss": 3.5, "train/learning_rate": 0.1},
        {"step": 2, "train/loss": 3.25, "train/learning_rate": 0.0},
        {"step": 2, "validation/loss": 4.0},
    ]
    write_curves(tmp_path / "curves", history)
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in (tmp_path / "curves").iterdir()
    }
    assert texts == {
        "train.csv": "step,learning_rate,loss\n1,0.1,3.5\n2,0.0,3.25\n",
        "validation.csv": "step,loss\n2,4.0\n",
    }


def test_a_report_counts_documents_and_tokens() -> None:
    documents = make_documents(20)
    report = to_report(DONE, 5, documents, 64)
    assert report["num_steps"] == 2 and report["num_steps_planned"] == 5
    assert report["validation_loss"] == 1.2346
    assert report["num_documents"] == 20
    assert report["num_sequences"] == len(documents.packs)
    assert report["packing_efficiency"] == round(
        len(documents.tokens) / (64 * len(documents.packs)), 4
    )
    assert to_report(replace(DONE), 5, make_documents(20), 64) == report
