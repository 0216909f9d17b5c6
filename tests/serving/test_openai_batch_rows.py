"""Files of OpenAI's batch API, with a completer without a model."""

from typing import Any

import pytest
from batch_runs import make_run, read_lines, write_lines

from graft.errors import ConfigError, DataError


def openai(number: int, **changes: Any) -> dict[str, Any]:
    body = {"model": "echo", "prompt": f"p{number}"}
    row = {"custom_id": f"c{number}", "method": "POST", "url": "/v1/completions"}
    return {**row, "body": body, **changes}


def test_openai_s_format_gives_its_own_output(tmp_path):
    rows = [
        openai(0),
        openai(1, body={"prompt": "!"}),
        openai(2, method="GET"),
        openai(3, url="http://x"),
        openai(4, body={"stream": True, "prompt": "a"}),
        openai(5, custom_id=5),
        "{",
    ]
    source = write_lines(tmp_path / "in.jsonl", rows)
    counts = make_run(source, tmp_path / "out.jsonl").run()
    assert (counts.num_answered, counts.num_failed) == (1, 6)
    found = read_lines(tmp_path / "out.jsonl")
    assert len({line["id"] for line in found}) == 7
    assert all(list(line) == ["id", "custom_id", "response", "error"] for line in found)
    good, bad, *others = found
    assert good["custom_id"] == "c0" and good["error"] is None
    assert set(good["response"]) == {"status_code", "request_id", "body"}
    assert good["response"]["body"]["choices"][0]["text"] == "0p"
    assert bad["response"]["status_code"] == 400 and bad["error"] is None
    for line, part in zip(others, ["method", "url", "stream", "custom_id", "JSON"]):
        assert line["response"] is None and part in line["error"]["message"]


def test_openai_s_format_takes_no_settings_and_no_other_output(tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [openai(0)])
    with pytest.raises(DataError, match="is JSON Lines"):
        make_run(source, tmp_path / "out.csv").run()
    for changes in ({"sampling": {"temperature": 1.0}}, {"seed": 3}):
        with pytest.raises(ConfigError, match="own settings"):
            make_run(source, tmp_path / "out.jsonl", **changes).run()
    assert list(tmp_path.iterdir()) == [source]
