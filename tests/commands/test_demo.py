import os
from pathlib import Path

import pytest

from graft.commands import demo
from graft.errors import ConfigError


def test_without_an_api_the_error_names_the_command_that_starts_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "1")
    with pytest.raises(ConfigError, match="http://127.0.0.1:9: no API .*\n.*\n.*serve"):
        demo.run(url="http://127.0.0.1:9/", port=0, feedback=tmp_path / "feedback")
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "0"
    assert not list(tmp_path.iterdir())
