"""What users of other servers complained of in public, replayed here over HTTP. The
table in docs/SERVING.md names these tests, and those of other files."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_server import Running, running
from echo_engine import SlowEcho
from tiny_server import load_base, load_without_weights, serving_config

from graft.serving.served_model import fetch_version
from graft.tracking.versions import ADAPTER, ReadableVersions, RegisteredVersion

TEXT = "The cat sleeps on the table."
WORLD = "naïve 👩‍👩‍👧 שלום 你好 é 🏳️‍🌈"


def stream(api: Running, **body: Any) -> list[dict[str, Any]]:
    """The chunks of a completion; each line must be whole UTF-8."""
    body = {"model": "translator", "stream": True, **body}
    found = httpx2.post(f"{api.url}/v1/completions", json=body, timeout=60)
    lines = found.content.decode("utf-8").splitlines()
    events = [line.removeprefix("data: ") for line in lines if line]
    assert events.pop() == "[DONE]"
    return [json.loads(event) for event in events]


def whole(api: Running, **body: Any) -> dict[str, Any]:
    found = api.post("/v1/completions", model="translator", **body)
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


def test_no_chunk_of_a_stream_has_a_part_of_a_character() -> None:
    with running(load_without_weights(), serving_config(), SlowEcho()) as api:
        asked = {"prompt": WORLD, "max_tokens": 150}
        text = whole(api, **asked)["choices"][0]["text"]
        chunks = [c["choices"][0]["text"] for c in stream(api, **asked)]
    assert "".join(chunks) == text and WORLD in text
    assert len(chunks) > 10
    assert not any("\ufffd" in chunk for chunk in chunks[:-1])


def test_no_stop_text_is_ignored_or_leaks_wherever_tokens_end(api: Running) -> None:
    text = whole(api, prompt=TEXT)["choices"][0]["text"]
    for at in range(1, len(text) - 4):
        stop = text[at : at + 4]
        before = text[: text.index(stop)].rstrip()
        found = stream(api, prompt=TEXT, stop=[stop])
        assert "".join(c["choices"][0]["text"] for c in found) == before
        assert found[-1]["choices"][0]["finish_reason"] == "stop"


def test_n_logprobs_and_stream_options_are_not_ignored(api: Running) -> None:
    found = whole(api, prompt=TEXT, n=3, logprobs=2, max_tokens=4)
    assert len(found["choices"]) == 3
    for choice in found["choices"]:
        assert len(choice["logprobs"]["tokens"]) == 4
    options = {"include_usage": True}
    chunks = stream(api, prompt=TEXT, stream_options=options, max_tokens=4)
    assert chunks[-1]["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [("tool_choice", "auto"), ("tools", [{"type": "function"}]), ("store", True)],
)
def test_what_is_not_supported_is_refused_by_name(
    api: Running, field: str, value: Any
) -> None:
    messages = [{"role": "user", "content": TEXT}]
    body = {"model": "translator", "messages": messages, field: value}
    found = api.post("/v1/chat/completions", **body)
    assert found.status_code == 400 and found.json()["error"]["param"] == field


def test_usage_counts_the_same_tokens_in_a_stream_and_for_all_choices(
    api: Running,
) -> None:
    asked = {"prompt": [TEXT, "It is late."], "n": 2, "max_tokens": 5, "temperature": 1}
    options = {"include_usage": True}
    chunks = stream(api, **asked, stream_options=options, seed=1)
    usage = whole(api, **asked, seed=1)["usage"]
    assert chunks[-1]["usage"] == usage
    alone = [whole(api, prompt=p, max_tokens=1)["usage"] for p in asked["prompt"]]
    assert usage["prompt_tokens"] == sum(one["prompt_tokens"] for one in alone)
    assert usage["completion_tokens"] <= 4 * 5


def test_a_prompt_has_one_bos_also_if_its_text_has_another(api: Running) -> None:
    template = api.server.versions.main.template
    bos = template.encode_prompt([{"role": "user", "content": TEXT}])[0]
    for text in (TEXT, f"<s>{TEXT}"):
        ids = template.encode_prompt([{"role": "user", "content": text}])
        assert ids[0] == bos and bos not in ids[1:]
        usage = whole(api, prompt=text, max_tokens=1)["usage"]
        assert usage["prompt_tokens"] == len(ids)


@pytest.mark.parametrize("temperature", [0, 0.01])
def test_log_probabilities_are_those_of_the_model_before_temperature(
    api: Running, temperature: float
) -> None:
    import torch

    template = api.server.versions.main.template
    ids = template.encode_prompt([{"role": "user", "content": TEXT}])
    asked = {"prompt": ids, "logprobs": 3, "max_tokens": 6}
    found = whole(api, **asked, temperature=temperature)["choices"][0]["logprobs"]
    model, expected = load_base(), []
    for _ in found["tokens"]:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        best = logits.log_softmax(-1).topk(3)
        expected.append(best.values.tolist())
        ids = [*ids, int(best.indices[0])]
    for chosen, likely, values in zip(
        found["token_logprobs"], found["top_logprobs"], expected, strict=True
    ):
        assert chosen == pytest.approx(values[0], abs=1e-3)
        assert sorted(likely.values(), reverse=True) == pytest.approx(values, abs=1e-3)


class OneFile(ReadableVersions):
    """Versions whose adapters are a file with this content."""

    def __init__(self, content: str) -> None:
        super().__init__("translator")
        self._content = content

    def all(self) -> list[RegisteredVersion]:
        return []

    def fetch_model(self, version: RegisteredVersion, out: Path) -> Path:
        (out / ADAPTER).mkdir(parents=True)
        (out / ADAPTER / "weights").write_text(self._content)
        return out


def test_a_number_that_is_given_again_is_not_answered_from_an_old_copy(
    tmp_path: Path,
) -> None:
    for created_ms, content in ((1, "old"), (2, "new"), (1, "changed"), (2, "changed")):
        version = RegisteredVersion("translator", "1", "run", (), {}, created_ms)
        folder = fetch_version(OneFile(content), version, tmp_path)
        expected = {1: "old", 2: "new"}[created_ms]
        assert (folder / ADAPTER / "weights").read_text() == expected
