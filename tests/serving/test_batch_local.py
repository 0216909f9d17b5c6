"""A batch with a real model: its answers are those of evaluation and of the API."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from api_server import running
from batch_runs import Interrupted, read_lines, results_of, write_lines

from graft.config.guards import BlockListGuard, GuardConfig, MaxCharsGuard
from graft.serving.batch.local import LocalModel
from graft.serving.batch.run import BatchRun
from graft.serving.batch.start import Engine, to_run

TEXTS = ["The cat sleeps.", "été ☀️", "A red house.", "Where is it?", "No."]


@pytest.fixture(name="start")
def _start(loaded):
    """A run with the tiny base."""

    def start(
        source: Path, out: Path, guards: Sequence[GuardConfig] = (), **changes: Any
    ) -> BatchRun:
        model = LocalModel(loaded, "weights", slots=4, guards=guards)
        engine = Engine(model, loaded.version.id, lambda: loaded.version.task)
        options: dict[str, Any] = {
            "sampling": {},
            "seed": 0,
            "shard_rows": 2,
            "restart": False,
        }
        return to_run(source, out, lambda: engine, **(options | changes))

    return start


@pytest.mark.parametrize("column", ["source", "prompt", "messages"])
def test_completions_are_those_of_the_evaluation(start, offline, tmp_path, column):
    values = [
        [{"role": "user", "content": text}] if column == "messages" else text
        for text in TEXTS
    ]
    source = write_lines(tmp_path / "in.jsonl", [{column: value} for value in values])
    assert start(source, tmp_path / "out.jsonl").run().num_failed == 0
    assert results_of(tmp_path / "out.jsonl") == [offline(text) for text in TEXTS]


def test_sampled_completions_repeat_after_an_interruption(start, tmp_path, monkeypatch):
    source = write_lines(tmp_path / "in.jsonl", [{"prompt": text} for text in TEXTS])
    sampled = {"sampling": {"temperature": 1.0, "max_tokens": 8}, "seed": 5}
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    start(source, whole, **sampled).run()
    with monkeypatch.context() as patch:
        calls = []
        complete = LocalModel.complete

        def once(self, requests, on_done):
            calls.append(requests)
            if len(calls) > 1:
                raise Interrupted
            return complete(self, requests, on_done)

        patch.setattr(LocalModel, "complete", once)
        with pytest.raises(Interrupted):
            start(source, broken, **sampled).run()
    start(source, broken, **sampled).run()
    assert broken.read_bytes() == whole.read_bytes()
    start(source, tmp_path / "other.jsonl", **(sampled | {"seed": 6})).run()
    assert results_of(tmp_path / "other.jsonl") != results_of(whole)
    assert max(results_of(whole, "completion_tokens")) <= 8


def test_openai_rows_are_answered_as_by_the_api(start, loaded, serving, tmp_path):
    chat = [{"role": "user", "content": TEXTS[0]}]
    bodies = [
        ("/v1/chat/completions", {"messages": chat, "logprobs": True}),
        ("/v1/completions", {"prompt": [TEXTS[1], TEXTS[2]], "max_tokens": 5}),
        ("/v1/completions", {"prompt": TEXTS[3], "n": 2, "temperature": 1, "seed": 3}),
        ("/v1/chat/completions", {"messages": chat, "tools": [{}]}),
        ("/v1/completions", {"prompt": "", "max_tokens": 5}),
        ("/v1/completions", {"prompt": "a", "max_tokens": 10_000}),
        ("/v1/chat/completions", {"messages": [*chat, *chat]}),
        ("/v1/completions", {"prompt": "a", "model": "gpt"}),
        ("/v1/completions", {"max_tokens": 1}),
    ]
    rows = [
        {
            "custom_id": str(number),
            "method": "POST",
            "url": path,
            "body": {"model": "translator", **body},
        }
        for number, (path, body) in enumerate(bodies)
    ]
    source = write_lines(tmp_path / "in.jsonl", rows)
    counts = start(source, tmp_path / "out.jsonl").run()
    assert (counts.num_answered, counts.num_failed) == (3, 6)
    with running(loaded, serving) as api:
        replies = [api.post(row["url"], **row["body"]) for row in rows]
    lines = read_lines(tmp_path / "out.jsonl")
    for line, expected in zip(lines, replies, strict=True):
        response = line["response"]
        assert response["status_code"] == expected.status_code
        both = [dict(response["body"]), expected.json()]
        for body in both:  # of the moment
            body.pop("id", None)
            body.pop("created", None)
            body.get("error", {}).pop("message", None)
        assert rounded(both[0]) == rounded(both[1])


def rounded(value: Any) -> Any:
    """Numbers depend on the rows of a batch in their last digits."""
    return json.loads(
        json.dumps(value), parse_float=lambda digits: round(float(digits), 3)
    )


def test_an_unknown_path_or_a_prompt_that_is_too_long_fails_alone(start, tmp_path):
    rows = [{"prompt": "a b " * 2000}, {"prompt": TEXTS[0]}, {"prompt": 5}]
    source = write_lines(tmp_path / "in.jsonl", rows)
    counts = start(source, tmp_path / "out.jsonl").run()
    assert (counts.num_answered, counts.num_failed) == (1, 2)
    first, _, third = results_of(tmp_path / "out.jsonl", "error")
    assert "at most 512" in first and "prompt" in third
    row = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": {}}
    source = write_lines(tmp_path / "openai.jsonl", [row])
    start(source, tmp_path / "openai_out.jsonl").run()
    (line,) = read_lines(tmp_path / "openai_out.jsonl")
    assert line["response"]["status_code"] == 404


def test_guards_change_answers_as_in_the_api(start, offline, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [{"prompt": text} for text in TEXTS])
    guard = MaxCharsGuard(kind="max_chars", limit=5)
    start(source, tmp_path / "out.jsonl", guards=[guard]).run()
    whole = [offline(text) for text in TEXTS]
    assert results_of(tmp_path / "out.jsonl") == [text[:5] for text in whole]
    finishes = results_of(tmp_path / "out.jsonl", "finish_reason")
    assert {f for f, text in zip(finishes, whole) if len(text) > 5} == {
        "content_filter"
    }


def test_a_run_is_not_continued_with_other_guards(loaded, tmp_path):
    phrases = tmp_path / "blocked"
    guard = BlockListGuard(kind="block_list", file=str(phrases))
    found = set()
    for text in ("one\n", "two\n"):
        phrases.write_text(text, "utf-8")
        found.add(LocalModel(loaded, "w", 4, [guard]).identity["serving.guards"])
    found.add(LocalModel(loaded, "w", 4).identity["serving.guards"])
    assert len(found) == 3
