"""Imports of the model libraries, each in a fresh process."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOAD = """
import sys
from pathlib import Path
from graft.config.params import load_params
from graft.inference.linears import InferenceLinears
from graft.training.base import load_base
params = load_params(Path("params.yaml"))
base = load_base(params.model, params.quantization, "cpu")
InferenceLinears(base, dense=True).install(base)
heavy = ("torch._dynamo", "torch._inductor.compile_fx", "scipy", "boto3", "mlflow")
print(sorted(name for name in heavy if name in sys.modules))
"""
COMPILE = """
import torch
import torch._dynamo
from transformers import masking_utils
with masking_utils.TransformGetItemToIndex():
    pass
print(torch._dynamo.disable.__module__, torch.distributed.is_available())
import scipy.optimize, importlib.util
print(importlib.util.find_spec("boto3") is not None)
"""


def run(code: str) -> list[str]:
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_model_is_loaded_and_unpacked_without_what_is_not_used() -> None:
    assert run(LOAD) == ["[]"]


def test_afterwards_everything_is_there_for_those_who_use_it() -> None:
    found = run(LOAD + COMPILE)
    assert found[1:] == ["torch._dynamo.decorators True", "True"]


def test_what_the_stand_in_lacks_is_taken_from_the_compiler_itself() -> None:
    code = """
import sys
from graft.models.lean_imports import lean_imports
with lean_imports():
    import torch._dynamo
    stand_in = sys.modules["torch._dynamo"]
    assert stand_in.disable(print) is print
    assert stand_in.config.__name__ == "torch._dynamo.config"
    assert sys.modules["torch._dynamo"] is not stand_in
print("done")
"""
    assert run(code) == ["done"]
