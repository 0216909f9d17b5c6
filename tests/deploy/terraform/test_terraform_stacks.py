"""Modules and stacks are formatted, valid, and pass their tests with AWS as a mock."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from kubernetes_manifests import FOLDER as KUBERNETES
from kubernetes_manifests import ROOT

FOLDER = ROOT / "deploy/terraform"
TEMPLATE = FOLDER / "stacks/prod/kustomization.yaml.tftpl"
SETTINGS = KUBERNETES / "overlays/aws/settings/kustomization.yaml"
TESTED = sorted({file.parent.parent for file in FOLDER.rglob("*.tftest.hcl")})
TOO_OPEN = {"0.0.0.0/0"}


def terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    if (program := shutil.which("terraform")) is None:
        pytest.skip("terraform is not installed")
    environment = {k: v for k, v in os.environ.items() if k != "TF_CLI_CONFIG_FILE"}
    command = [program, *words]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_are_formatted() -> None:
    done = terraform(FOLDER, "fmt", "-check", "-recursive", "-no-color")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("folder", TESTED, ids=lambda one: str(one.name))
def test_a_module_passes_its_own_tests(folder: Path, tmp_path: Path) -> None:
    """TERRAFORM_PLUGINS: a folder of provider plugins, without access to a registry."""
    shutil.copytree(FOLDER, tmp_path / "terraform")
    here = tmp_path / "terraform" / folder.relative_to(FOLDER)
    plugins = os.environ.get("TERRAFORM_PLUGINS")
    options = [f"-plugin-dir={plugins}"] if plugins else []
    done = terraform(here, "init", "-backend=false", "-input=false", *options)
    if done.returncode != 0 and not plugins:
        pytest.skip("the AWS provider cannot be had: set TERRAFORM_PLUGINS")
    assert done.returncode == 0, done.stderr
    done = terraform(here, "validate", "-no-color")
    assert done.returncode == 0, done.stderr
    done = terraform(here, "test", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def render(template: str, values: dict[str, object]) -> str:
    """The part of Terraform's templates that ours uses: ${…}, and for over a map."""

    def repeat(match: re.Match[str]) -> str:
        key, value, name, body = match.groups()
        found = values[name]
        assert isinstance(found, dict)
        return "".join(
            body.replace(f"${{{key}}}", one).replace(f"${{{value}}}", found[one])
            for one in sorted(found)
        )

    loop = r"%{ for (\w+), (\w+) in (\w+) ~}\n(.*?)%{ endfor ~}\n"
    text = re.sub(loop, repeat, template, flags=re.DOTALL)
    for name, value in values.items():
        if isinstance(value, dict):
            for key, one in value.items():
                text = text.replace(f'${{{name}["{key}"]}}', one)
        text = text.replace(f"${{{name}}}", str(value))
    return text


def test_the_overlay_for_aws_is_what_the_stack_writes() -> None:
    account = "111122223333"
    images = ("train", "serve", "serve-cpu", "mlflow")
    accounts = ("serving", "watch", "training", "mlflow", "secrets")
    host = f"{account}.dkr.ecr.eu-west-1.amazonaws.com/graft-prod"
    role = f"arn:aws:iam::{account}:role/graft-prod"
    text = render(
        TEMPLATE.read_text(encoding="utf-8"),
        {
            "region": "eu-west-1",
            "name": "graft-prod",
            "image_tag": "0.1.0",
            "file_system_id": "fs-0123456789abcdef0",
            "images": {one: f"{host}/{one}" for one in images},
            "role_arns": {one: f"{role}-{one}" for one in accounts},
            "buckets": {
                one: f"graft-prod-{one}-{account}" for one in ("data", "artifacts")
            },
            "database_secret": (
                f"arn:aws:secretsmanager:eu-west-1:{account}:secret:rds!db-example"
            ),
        },
    )
    assert text == SETTINGS.read_text(encoding="utf-8")


def test_no_file_contains_a_password() -> None:
    pattern = re.compile(r'(password|secret_key|token)\s*=\s*"(?!none")[^"$\s]+"', re.I)
    for file in FOLDER.rglob("*.tf*"):
        if file.is_file():
            assert not pattern.search(file.read_text(encoding="utf-8")), file


def test_no_group_lets_everyone_in() -> None:
    for file in FOLDER.rglob("*.tf"):
        for block in file.read_text(encoding="utf-8").split('resource "')[1:]:
            if block.startswith("aws_vpc_security_group_ingress_rule"):
                assert not any(cidr in block for cidr in TOO_OPEN), file
