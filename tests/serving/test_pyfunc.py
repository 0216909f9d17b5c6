import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from tiny_pipeline import PAIRS, make_adapter, make_base, make_params

from graft.inference.generation import complete
from graft.inference.results import Decoding
from graft.prompts import load_template

ROOT = Path(__file__).parents[2]
REGISTER = """
import json, sys, mlflow
uri, code, adapter, decoding = sys.argv[1:]
mlflow.set_tracking_uri(uri)
with mlflow.start_run():
    info = mlflow.pyfunc.log_model(
        name="adapter",
        python_model=code,
        artifacts={"adapter": adapter},
        model_config={"decoding": json.loads(decoding)},
        pip_requirements=["graft"],  # otherwise inferred by loading the model
        registered_model_name="tiny",
    )
mlflow.MlflowClient().set_registered_model_alias("tiny", "champion", "1")
"""
PREDICT = """
import json, os, sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/tiny@champion")
print(json.dumps(model.predict(json.loads(sys.argv[2]))))
del os.environ["GRAFT_ROOT"]
mlflow.pyfunc.load_model("models:/tiny@champion")
"""


def python(code: str, *arguments: str, folder: Path, root: Path):
    """Run code in a fresh process of this environment."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=os.environ | {"GRAFT_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_a_registered_adapter_answers_in_a_fresh_process_as_in_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from graft.training.adapter import load_adapter
    from graft.training.base import load_base

    monkeypatch.chdir(tmp_path)
    base, adapter = Path("models/tiny"), tmp_path / "adapter"
    make_base(base)
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params = make_params(values, base)
    make_adapter(params, adapter)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    code = str(ROOT / "src/graft/serving/registered_model.py")
    decoding = Decoding.of(params.generation)
    asked = uri, code, str(adapter), json.dumps(asdict(decoding))
    made = python(REGISTER, *asked, folder=tmp_path, root=tmp_path)
    assert made.returncode == 0, made.stderr

    template = load_template(params.model, params.prompt)
    sources = [english for english, _ in PAIRS]
    prompts = [
        template.encode_prompt([{"role": "user", "content": text}]) for text in sources
    ]
    tuned = load_adapter(load_base(params.model, params.quantization, "cpu"), adapter)
    expected = complete(tuned, template, prompts, decoding).texts

    asked = uri, json.dumps(sources)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = python(PREDICT, *asked, folder=elsewhere, root=tmp_path)
    assert found.stdout, found.stderr
    assert json.loads(found.stdout.splitlines()[-1]) == expected
    assert len(set(expected)) == len(
        PAIRS
    ), "a random model must not say one thing only"

    weights = [path.name for path in tmp_path.rglob("mlruns/**/*.safetensors")]
    assert weights == ["adapter_model.safetensors"], "the base must not be copied"
    assert "set GRAFT_ROOT" in found.stderr, "without it the base is not found"
