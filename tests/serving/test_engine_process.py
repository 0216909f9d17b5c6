"""The engine in another process: a real process, with an engine that echoes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from echo_engine import Letters

from graft.errors import ModelError
from graft.inference.requests import GenerationRequest
from graft.serving.engine_process import EngineProcess


def row(key: str, text: str, template: bool = True) -> GenerationRequest:
    prompt = list(map(ord, text)) if text != "wait" else [1]
    decoder = Letters() if template else None
    return GenerationRequest(key, prompt, len(prompt), template=decoder)


@pytest.fixture(name="process")
def _process() -> Iterator[EngineProcess]:
    process = EngineProcess("echo_engine:load")
    process.start_loading()
    yield process
    process.close()


def test_events_of_all_rows_arrive_and_then_end(process: EngineProcess) -> None:
    for key in ("first", "second"):
        process.add(row(key, f"{key} text"))
    process.close()
    texts: dict[object, str] = {}
    for event in process.events():
        texts[event.key] = texts.get(event.key, "") + event.text
    assert texts == {"first": "first text", "second": "second text"}


def test_tokens_are_decoded_only_if_asked_for(process: EngineProcess) -> None:
    process.add(row("plain", "abc", template=False))
    process.close()
    events = list(process.events())
    assert [token for event in events for token in event.tokens] == [97, 98, 99]
    assert not any(event.text for event in events)


def test_a_row_can_be_cancelled(process: EngineProcess) -> None:
    process.add(row("endless", "wait"))
    process.cancel("endless")
    process.close()
    (event,) = process.events()
    assert event.finish == "cancelled"


def test_a_row_that_the_batch_rejects_ends_and_the_others_go_on(
    process: EngineProcess,
) -> None:
    process.add(GenerationRequest("bad", [2], 1))
    process.add(row("good", "a"))
    process.close()
    finishes = {event.key: event.finish for event in process.events()}
    assert finishes == {"bad": "cancelled", "good": "length"}


def test_an_error_of_loading_is_raised_here() -> None:
    process = EngineProcess("echo_engine:load")
    process.start_loading("it is too large")
    with pytest.raises(ModelError, match="it is too large") as caught:
        list(process.events())
    assert caught.value.fix == "train one"


def test_the_death_of_the_process_is_an_error(process: EngineProcess) -> None:
    process.add(GenerationRequest("fatal", [999], 1))
    with pytest.raises(ModelError, match="ended with status 3"):
        list(process.events())


def test_adapters_come_and_go_while_events_are_read(
    process: EngineProcess, tmp_path: Path
) -> None:
    reader = threading.Thread(target=lambda: list(process.events()))
    reader.start()
    process.add_adapter("v1", tmp_path)
    with pytest.raises(ModelError, match="no adapter"):
        process.add_adapter("v2", tmp_path / "none")
    process.remove_adapter("v1")
    process.close()
    reader.join()
