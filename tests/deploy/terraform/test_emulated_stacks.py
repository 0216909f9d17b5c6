"""A stack is applied, planned again without a change, used, and destroyed."""

import os
import shutil
import subprocess

import pytest
from kubernetes_manifests import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("stack", ("dev", "prod"))
def test_a_stack_is_made_used_and_destroyed_on_an_emulator(stack: str) -> None:
    """MINISTACK and TERRAFORM_PLUGINS as for the script."""
    emulator = os.environ.get("MINISTACK", "ministack")
    for program in ("terraform", emulator):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    script = ROOT / "scripts/ci/terraform_emulator.sh"
    done = subprocess.run(
        ["bash", str(script), stack], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ("planned again: no changes", "dvc push and pull", "destroyed"):
        assert text in done.stdout
