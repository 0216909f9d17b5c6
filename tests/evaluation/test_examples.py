import copy
import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from graft.errors import DataError
from graft.evaluation.examples import HeldOut, ask_both, read_examples
from graft.evaluation.generation import Decoding
from graft.io import write_batches
from graft.records import EXAMPLE_SCHEMA


def table(number: int) -> pa.Table:
    rows = [
        {
            "id": f"{i:03}",
            "messages": [
                {"role": "user", "content": f"cat {i}"},
                {"role": "assistant", "content": f"chat {i}"},
            ],
            "references": [f"minou {i}"],
            "group": f"{i}",
            "stratum": "all",
            "split": "test",
            "where": f"file:{i}",
        }
        for i in range(number)
    ]
    return pa.Table.from_pylist(rows, schema=EXAMPLE_SCHEMA)


def test_an_example_has_the_question_and_all_right_answers(tmp_path: Path):
    write_batches(tmp_path / "test", [table(3)], EXAMPLE_SCHEMA)
    examples = read_examples(tmp_path / "test", None)
    assert [example.question for example in examples] == ["cat 0", "cat 1", "cat 2"]
    assert examples[1].gold == ["chat 1", "minou 1"]
    assert HeldOut("0", "all", examples[0].messages[1:], []).question == ""


@pytest.mark.parametrize(("limit", "ids"), [(3, "000 003 006"), (1, "000")])
def test_a_limit_takes_examples_spread_over_the_whole_split(tmp_path, limit, ids):
    write_batches(tmp_path / "test", [table(10)], EXAMPLE_SCHEMA)
    assert [e.id for e in read_examples(tmp_path / "test", limit)] == ids.split()
    assert len(read_examples(tmp_path / "test", 99)) == 10


def test_an_empty_test_split_says_what_to_set(tmp_path: Path):
    write_batches(tmp_path / "test", [], EXAMPLE_SCHEMA)
    with pytest.raises(DataError, match="empty(.|\n)*split.test"):
        read_examples(tmp_path / "test", None)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_both_models_answer_the_same_prompts_and_the_base_is_asked_untouched(
    model, template, tmp_path
):
    from peft import LoraConfig, get_peft_model

    def tune(base):
        tuned = get_peft_model(
            copy.deepcopy(base), LoraConfig(target_modules="all-linear")
        )
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=0.5)
        return tuned

    write_batches(tmp_path / "test", [table(9)], EXAMPLE_SCHEMA)
    examples = read_examples(tmp_path / "test", None)
    decoding = Decoding(max_new_tokens=12, batch_size=4)
    same, _ = ask_both(model, lambda base: base, template, examples, decoding)
    rows, costs = ask_both(model, tune, template, examples, decoding)
    assert [row.base for row in rows] == [row.base for row in same]
    assert all(row.base == row.tuned for row in same)
    assert all(row.base != row.tuned for row in rows)
    assert [row.id for row in rows] == [example.id for example in examples]
    assert set(dataclasses.asdict(rows[0])) == set(
        "id stratum prompt references base tuned".split()
    )
    assert costs["base"].texts == [row.base for row in rows]
