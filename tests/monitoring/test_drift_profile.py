from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drift_rows import make_reference

from graft.errors import DataError
from graft.monitoring.drift import profile as module
from graft.monitoring.drift.profile import make_profile, read_profile, write_profile
from graft.monitoring.features import Features, to_features
from graft.records import SEQUENCE_SCHEMA


def sequence(number: int, turns: list[tuple[str, str]], **other: Any) -> dict[str, Any]:
    """Ids 1, 2 are the prompt, 3, 4 the answer."""
    row = {
        "id": str(number),
        "messages": [{"role": role, "content": text} for role, text in turns],
        "references": [],
        "group": "g",
        "stratum": "all",
        "where": "w:1",
        "input_ids": [1, 2, 3, 4],
        "loss_mask": [False, False, True, True],
        "num_bytes": 1,
        "augmented": False,
    }
    return row | other


def made(rows: list[dict[str, Any]]) -> module.Profile:
    table = pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)
    return make_profile(lambda names: [table.select(names or table.column_names)], "t")


PAIR = [("user", "Hello there"), ("assistant", "Bonjour")]


def test_the_prompt_is_what_precedes_the_last_answer() -> None:
    chat = [*PAIR, ("user", "And now?"), ("assistant", "Rien")]
    mask = [False, True, False, True]
    (row,) = made([sequence(1, chat, loss_mask=mask)]).rows.to_pylist()
    expected = to_features("Hello there\nAnd now?", [1, 2, 3])
    found = Features.from_row(row)
    assert (found.tokens, found.chars) == (expected.tokens, expected.chars)
    assert found.bigrams == expected.bigrams


def test_paraphrases_are_left_out_and_all_prompts_counted() -> None:
    rows = [sequence(1, PAIR), sequence(2, PAIR, augmented=True), sequence(3, PAIR)]
    profile = made(rows)
    assert (profile.rows.num_rows, profile.facts.num_prompts) == (2, 2)
    assert not profile.facts.opens_documents


def test_a_document_without_a_prompt_is_taken_whole() -> None:
    profile = made([sequence(1, [("assistant", "Once upon")], loss_mask=[True] * 4)])
    (row,) = profile.rows.to_pylist()
    assert profile.facts.opens_documents
    assert (row["prompt_tokens"], row["prompt_chars"]) == (4, 9)


def test_the_sample_does_not_depend_on_the_order_of_the_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "NUM_ROWS", 3)
    rows = [sequence(n, [("user", "x" * n), ("assistant", "y")]) for n in range(1, 9)]
    found = [
        made(order).rows["prompt_chars"].to_pylist() for order in (rows, rows[::-1])
    ]
    assert len(found[0]) == 3 and sorted(found[0]) == sorted(found[1])


def test_a_profile_survives_its_file(tmp_path: Path) -> None:
    profile = make_reference(30)
    write_profile(tmp_path / "p.parquet", profile)
    again = read_profile(tmp_path / "p.parquet")
    assert again.facts == profile.facts and again.rows.equals(profile.rows)


def test_equal_profiles_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_profile(tmp_path / name, make_reference(30))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_files_that_are_no_profile_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_profile(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("text")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    for name in ("text.parquet", "other.parquet"):
        with pytest.raises(DataError, match="is no profile"):
            read_profile(tmp_path / name)


def test_features_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profile(tmp_path / "p.parquet", make_reference(30))
    monkeypatch.setattr(module, "VERSION", 99)
    with pytest.raises(DataError, match="features of version 1"):
        read_profile(tmp_path / "p.parquet")
