"""The clients of docs/SERVING.md, run as they stand there."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path("docs/SERVING.md").read_text("utf-8")
SECTION = PAGE.partition("## Clients\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", SECTION, re.DOTALL)
CAT, DOG = "The cat sleeps.", "The dog sleeps."


@pytest.fixture(name="run")
def _run(api):
    def run(program: list[str], code: str) -> str:
        code = code.replace("http://127.0.0.1:8000", api.url)
        code = code.replace("graft-translation", "translator")
        done = subprocess.run(
            [*program, code], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def block(language: str, mark: str) -> str:
    (found,) = (code for name, code in BLOCKS if name == language and mark in code)
    return found


def test_every_client_of_the_page_is_tested_here():
    assert (
        sorted(name for name, _ in BLOCKS)
        == ["bash"] * 2 + ["javascript"] + ["python"] * 2
    )


def test_curl_asks(run, offline):
    found = json.loads(run(["bash", "-c"], block("bash", "chat/completions")))
    assert found["choices"][0]["message"]["content"] == offline(CAT)


def test_curl_streams_the_fields_of_a_task(run, offline):
    lines = run(["bash", "-c"], block("bash", "stream")).splitlines()
    events = [line.removeprefix("data: ") for line in lines if line]
    assert events.pop() == "[DONE]"
    texts = [json.loads(event)["choices"][0]["text"] for event in events]
    assert "".join(texts) == offline(CAT)


def test_python_asks_without_a_package(run, offline):
    assert run([sys.executable, "-c"], block("python", "urllib")) == f"{offline(CAT)}\n"


def test_openai_s_python_client_asks_and_streams(run, offline):
    found = run([sys.executable, "-c"], block("python", "openai"))
    assert found == f"{offline(CAT)}\n{offline(DOG)}"


def has_node_client() -> bool:
    """Whether Node finds OpenAI's package: `npm install openai`, NODE_PATH."""
    if (node := shutil.which("node")) is None:
        return False
    command = [node, "-e", 'require.resolve("openai")']
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_node_client(), reason="no Node with the package openai")
def test_openai_s_node_client_asks_and_streams(run, offline):
    found = run(["node", "-e"], block("javascript", "openai"))
    assert found == f"{offline(CAT)}\n{offline(DOG)}"
