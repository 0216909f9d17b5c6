"""Shards, their join, and a run that goes on, with a completer that needs no model."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from batch_runs import Echo, Interrupted, make_run, read_lines, results_of, write_lines
from hypothesis import given
from hypothesis import strategies as st
from small_disk import fill

from graft.errors import ConfigError, DataError, StorageError

PROMPTS = [{"prompt": f"text {number}"} for number in range(8)]


def work_folder(out: Path) -> Path:
    return out.with_name(f".{out.name}.batch")


def interrupt(source: Path, out: Path, after: int, **changes: Any) -> None:
    with pytest.raises(Interrupted):
        make_run(source, out, Echo(after), **changes).run()


@given(
    texts=st.lists(st.text(max_size=5), max_size=12),
    shard_rows=st.integers(1, 5),
    stops=st.lists(st.integers(0, 3), max_size=3),
    suffix=st.sampled_from([".jsonl", ".csv", ".parquet"]),
)
def test_a_run_interrupted_anywhere_equals_an_unbroken_one(
    texts, shard_rows, stops, suffix
):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [{"prompt": text, "n": n} for n, text in enumerate(texts)]
        source = write_lines(folder / "in.jsonl", rows)
        whole, broken = folder / f"whole{suffix}", folder / f"broken{suffix}"
        counts = make_run(source, whole, shard_rows=shard_rows).run()
        assert counts.num_answered + counts.num_failed == len(texts)
        seen = []
        for stop in [*stops, None]:
            completer = Echo(stop)
            try:
                make_run(source, broken, completer, shard_rows=shard_rows).run()
                ended = True
            except Interrupted:
                ended = False
            seen += [request.number for request in completer.seen]
            if ended:
                break
        assert broken.read_bytes() == whole.read_bytes()
        assert sorted(seen) == sorted(set(seen))  # nothing twice
        assert sorted(folder.iterdir()) == sorted([source, whole, broken])


def test_each_row_is_answered_or_fails_with_a_reason(tmp_path):
    rows = [{"prompt": "ab"}, {"prompt": "!"}, "{broken", "[1]", {"other": 1}]
    source = write_lines(tmp_path / "in.jsonl", rows)
    counts = make_run(source, tmp_path / "out.jsonl").run()
    assert (counts.num_answered, counts.num_failed) == (1, 4)
    assert results_of(tmp_path / "out.jsonl") == ["ba", None, None, None, None]
    errors = results_of(tmp_path / "out.jsonl", "error")
    assert errors[0] is None
    for error, part in zip(
        errors[1:], ["no answer", "in.jsonl:3", "in.jsonl:4", "prompt: missing"]
    ):
        assert part in error
    assert sum(counts.reasons.values()) == 4


@pytest.mark.parametrize(
    "changes, named",
    [
        ({"completer": Echo(identity={"version": "echo/2"})}, "version was echo/1"),
        ({"completer": Echo(identity={"version": "echo/1", "x": "y"})}, "x was None"),
        ({"sampling": {"temperature": 0.5}}, "--temperature was None, is 0.5"),
        ({"seed": 1}, "--seed was 0, is 1"),
        ({"shard_rows": 2}, "--shard-rows was 3, is 2"),
    ],
)
def test_a_run_does_not_go_on_with_other_settings(tmp_path, changes, named):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"
    interrupt(source, out, 1)
    with pytest.raises(ConfigError, match=named) as caught:
        make_run(source, out, **changes).run()
    assert "--restart" in caught.value.fix
    assert make_run(source, out, **changes).run(restart=True).num_answered == 8


def test_a_run_does_not_go_on_with_another_input(tmp_path):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"
    interrupt(source, out, 1)
    write_lines(source, [*PROMPTS, {"prompt": "more"}])
    with pytest.raises(ConfigError, match="input was"):
        make_run(source, out).run()


def test_an_input_that_changes_while_it_is_read_gives_no_output(tmp_path):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"

    class Changes(Echo):
        def complete(self, requests, on_done):
            write_lines(source, [{"prompt": "other"}] * 8)
            return super().complete(requests, on_done)

    with pytest.raises(DataError, match="changed while"):
        make_run(source, out, Changes()).run()
    assert not out.exists()


def test_an_output_that_exists_is_kept_unless_the_run_restarts(tmp_path):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"
    out.write_text("precious")
    with pytest.raises(ConfigError, match="already exists"):
        make_run(source, out)
    assert out.read_text() == "precious" and not work_folder(out).exists()
    make_run(source, out, restart=True).run(restart=True)
    assert len(read_lines(out)) == 8


def test_a_restart_that_is_interrupted_goes_on_without_the_option(tmp_path):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"
    out.write_text("former")
    with pytest.raises(Interrupted):
        make_run(source, out, Echo(1), restart=True).run(restart=True)
    assert out.read_text() == "former"
    completer = Echo()
    make_run(source, out, completer).run()
    assert len(read_lines(out)) == 8 and len(completer.seen) == 5


def test_the_input_is_never_the_output(tmp_path):
    source = write_lines(tmp_path / "in.jsonl", PROMPTS)
    with pytest.raises(ConfigError, match="is the input"):
        make_run(source, source, restart=True)


def test_two_processes_do_not_write_one_output(tmp_path):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"

    class Second(Echo):
        def complete(self, requests, on_done):
            with pytest.raises(ConfigError, match="another process"):
                make_run(source, out).run()
            return super().complete(requests, on_done)

    assert make_run(source, out, Second()).run().num_answered == 8


def test_a_run_killed_between_its_output_and_its_end_is_ended(tmp_path, monkeypatch):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"

    def killed(_self: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr("graft.serving.batch.work.WorkFolder.remove", killed)
        with pytest.raises(Interrupted):
            make_run(source, out).run()
    before, completer = out.read_bytes(), Echo()
    make_run(source, out, completer).run()
    assert out.read_bytes() == before and not completer.seen
    assert not work_folder(out).exists()


def test_a_run_killed_while_its_shards_are_removed_leaves_nothing_for_long(tmp_path):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"
    remains = tmp_path / ".out.jsonl.batch.partial"
    remains.mkdir()
    write_lines(remains / "shard-000000.jsonl", ["{}"])
    make_run(source, out).run()
    assert sorted(tmp_path.iterdir()) == sorted([source, out])


def test_a_full_disk_loses_no_finished_shard(small_disk: Path):
    rows = [{"prompt": "a" * 20_000} for _ in range(9)]
    source, out = write_lines(small_disk / "in.jsonl", rows), small_disk / "out.jsonl"
    interrupt(source, out, 1)
    fill(small_disk, 2**14)
    with pytest.raises(StorageError, match="disk is full"):
        make_run(source, out).run()
    assert not out.exists()
    assert [f.name for f in sorted(work_folder(out).iterdir())] == [
        "run.json",
        "shard-000000.jsonl",
    ]
    (small_disk / "filler").unlink()
    completer = Echo()
    assert make_run(source, out, completer).run().num_answered == 9
    assert [request.number for request in completer.seen] == [3, 4, 5, 6, 7, 8]


def test_the_seed_of_a_row_depends_on_its_number_alone(tmp_path):
    source = write_lines(tmp_path / "in.jsonl", PROMPTS)
    seeds = []
    for shard_rows in (2, 5):
        completer = Echo()
        out = tmp_path / f"{shard_rows}.jsonl"
        make_run(source, out, completer, shard_rows=shard_rows, seed=7).run()
        seeds.append([request.body["seed"] for request in completer.seen])
    assert seeds[0] == seeds[1] == [(7 << 32) + number for number in range(8)]


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": -1},
        {"seed": 2**31},
        {"shard_rows": 0},
        {"sampling": {"temperature": 3.0}},
        {"sampling": {"top_p": 0.0}},
        {"sampling": {"max_tokens": 0}},
    ],
)
def test_a_setting_out_of_range_is_refused_before_anything_is_loaded(tmp_path, changes):
    source = write_lines(tmp_path / "in.jsonl", PROMPTS)
    with pytest.raises(ConfigError, match="--"):
        make_run(source, tmp_path / "out.jsonl", **changes)
    assert list(tmp_path.iterdir()) == [source]


def test_the_journal_names_what_the_results_depend_on(tmp_path):
    source, out = write_lines(tmp_path / "in.jsonl", PROMPTS), tmp_path / "out.jsonl"
    interrupt(source, out, 1)
    journal = json.loads((work_folder(out) / "run.json").read_text())
    assert {"input", "--shard-rows", "--seed", "version"} <= journal["run"].keys()
    assert journal["contents"]["num_rows"] == 8
