"""A registered version in an empty environment, where there is no repository."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from ports import free_port
from tiny_pipeline import PAIRS, make_adapter, make_base, make_params

import graft
from graft import tracking
from graft.inference.generation import complete
from graft.inference.results import Decoding
from graft.prompts import load_template
from graft.registry.packaged_code import write_code
from graft.tracking.versions import Versions

ROOT = Path(__file__).parents[2]
TEXTS = [english for english, _ in PAIRS]
LOAD = """
import json, sys, mlflow.pyfunc
model = mlflow.pyfunc.load_model(sys.argv[1])
texts = json.loads(sys.argv[2])
import graft
assert graft.__path__[0].startswith(sys.argv[1]), graft.__path__
streamed = "".join(model.predict_stream(texts[0]))
short = model.predict(texts, params={"max_new_tokens": 2})
try:
    model.predict(texts, params={"temprature": 1})
except Exception as error:
    refused = str(error)
print(json.dumps([model.predict(texts), streamed, short, refused]))
"""


def register(root: Path) -> tuple[Path, list[str]]:
    """Register an adapter as stage evaluate does; its folder, and expected answers."""
    from dataclasses import asdict

    from graft.training.tuning import load_served

    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    make_base(root / "base")
    params = make_params(values, root / "base")
    make_adapter(params, root / "adapter")
    record = json.loads((root / "adapter/graft.json").read_text("utf-8"))
    record["params"]["model"]["path"] = record["base_path"] = "base"
    (root / "adapter/graft.json").write_text(json.dumps(record), "utf-8")
    package = Path(graft.__file__).parent
    write_code(package, root / "served/graft")
    decoding = Decoding.of(params.generation)
    with tracking.start_run(params.registry, root / "run.jsonl") as run:
        number = tracking.register_adapter(
            run,
            params.registry,
            root / "adapter",
            code=package / "serving/registered_model.py",
            package=root / "served/graft",
            settings={"decoding": asdict(decoding)},
            tags={},
        )
    versions = Versions(params.registry)
    folder = versions.fetch_model(versions.find(str(number)), root / "fetched")
    template = load_template(params.model, params.prompt)
    model = load_served(params.model, params.quantization, "cpu", root / "adapter")
    prompts = [
        template.encode_prompt([{"role": "user", "content": text}]) for text in TEXTS
    ]
    return folder, complete(model, template, prompts, decoding).texts


def post(port: int, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping"):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server ended")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_version_answers_in_an_empty_environment_as_in_the_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder, expected = register(tmp_path)
    venv, elsewhere = tmp_path / "venv", tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", str(tmp_path)),
        "GRAFT_ROOT": str(tmp_path),
        "HF_HUB_OFFLINE": "1",
        "UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", ""),
    }
    uv, python = [sys.executable, "-m", "uv"], venv / "bin/python"
    wanted = folder / "requirements.txt"
    for words in (
        [*uv, "venv", "--quiet", venv],
        [*uv, "pip", "install", "--quiet", "--python", python, "-r", wanted],
    ):
        subprocess.run(words, check=True, env=os.environ | environment)
    done = subprocess.run(
        [python, "-c", LOAD, folder, json.dumps(TEXTS)],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers, streamed, short, refused = json.loads(done.stdout.splitlines()[-1])
    assert answers == expected and streamed == expected[0]
    assert all(len(a) < len(b) for a, b in zip(short, answers))
    assert "unknown: temprature" in refused

    port = free_port()
    serve = [venv / "bin/mlflow", "models", "serve", "-m", folder, "-p", str(port)]
    server = subprocess.Popen(  # pylint: disable=consider-using-with
        [*serve, "--env-manager", "local"],
        cwd=elsewhere,
        env=environment,
        start_new_session=True,
    )
    try:
        wait_for(port, server)
        chats = [[{"role": "user", "content": text}] for text in TEXTS]
        bodies = [
            {"inputs": TEXTS},
            {"inputs": [{"messages": chat} for chat in chats]},
            {"dataframe_split": {"columns": ["prompt"], "data": [[t] for t in TEXTS]}},
            {"dataframe_records": [{"messages": chat} for chat in chats]},
        ]
        assert [post(port, body)["predictions"] for body in bodies] == [expected] * 4
        assert post(port, {"messages": chats[0]}) == expected[:1]
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(port, {"inputs": TEXTS, "params": {"temprature": 1}})
        assert caught.value.code == 400
        caught.value.close()
    finally:
        os.killpg(server.pid, 15)
        server.wait()
