"""The quick check: everything imports, the command line answers, the params load."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import graft
from graft.config.params import load_params

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(graft.__path__, "graft.")
    # These are imported by MLflow, whose own import warns.
    if not module.name.startswith("graft.serving.")
)
DATA_STAGES = ("convert", "preprocess", "validate", "tokenize", "split")


def run_python(code: str) -> str:
    """Standard output of a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports(name: str) -> None:
    if ".kernels" in name:
        pytest.importorskip("triton", reason="it comes with torch for CUDA alone")
    importlib.import_module(name)


def test_the_committed_params_are_valid() -> None:
    assert load_params(ROOT / "params.yaml").task.name == "translation"


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, graft.cli; print(*sys.modules)"
    heavy = {"torch", "transformers", "mlflow", "polars", "pyarrow", "pandas"}
    assert not heavy & set(run_python(code).split())


def test_importing_a_data_stage_imports_no_torch() -> None:
    stages = [f"graft.stages.{name}" for name in DATA_STAGES]
    code = f"import sys, {', '.join(stages)}; print('torch' in sys.modules)"
    assert run_python(code).strip() == "False"


def test_importing_a_stage_imports_no_mlflow() -> None:
    names = [module for module in MODULES if module.startswith("graft.stages.")]
    code = f"import sys, {', '.join(names)}; print('mlflow' in sys.modules)"
    assert run_python(code).strip() == "False"
