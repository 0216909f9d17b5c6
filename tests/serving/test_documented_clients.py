"""The clients of docs/SERVING.md, run as they stand there."""

import hashlib
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
LOCK = Path("tests/samples/node_client/package-lock.json")
CAT, DOG = "The cat sleeps.", "The dog sleeps."


@pytest.fixture(name="run")
def _run(api):
    def run(program: list[str], code: str, folder: Path | None = None) -> str:
        code = code.replace("http://127.0.0.1:8000", api.url)
        code = code.replace("graft-translation", "translator")
        done = subprocess.run(
            [*program, code],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
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


@pytest.fixture(name="node_modules", scope="module")
def _node_modules(request: pytest.FixtureRequest) -> Path:
    """A folder with OpenAI's Node client, as its lock file has it; kept for later runs.
    npm writes .package-lock.json when all is installed."""
    locked = LOCK.read_bytes()
    assert request.config.cache is not None
    folder = request.config.cache.mkdir(
        f"node-{hashlib.sha256(locked).hexdigest()[:8]}"
    )
    if not (folder / "node_modules/.package-lock.json").is_file():
        for name in ("package.json", LOCK.name):
            shutil.copy(LOCK.with_name(name), folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm: apt-get install")
def test_openai_s_node_client_asks_and_streams(run, offline, node_modules):
    found = run(["node", "-e"], block("javascript", "openai"), node_modules)
    assert found == f"{offline(CAT)}\n{offline(DOG)}"
