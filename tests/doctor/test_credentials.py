"""Where credentials come from; their values never appear."""

from pathlib import Path

import pytest

from graft.doctor.credentials import check_aws, check_hub, check_mlflow_user

SECRET = "pa55word"
PAIR = {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": SECRET}


@pytest.mark.parametrize(
    ("environment", "needed", "status", "part"),
    [
        ({}, False, "ok", "none are needed"),
        ({}, True, "warning", "the machine's role"),
        (PAIR, True, "ok", "from the environment"),
        ({"AWS_SECRET_ACCESS_KEY": SECRET}, True, "error", "half a pair"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/no"}, True, "error", "without its token"),
        ({"AWS_PROFILE": "other"}, True, "error", "no profile other"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "x"}, True, "ok", "agent"),
    ],
)
def test_the_source_for_s3_is_named(
    tmp_path: Path, environment: dict[str, str], needed: bool, status: str, part: str
) -> None:
    (found,) = check_aws(environment, tmp_path, needed)
    assert (found.status, part in found.found) == (status, True), found
    assert SECRET not in str(found)


def test_a_profile_and_a_web_identity_are_found(tmp_path: Path) -> None:
    file = tmp_path / ".aws/credentials"
    file.parent.mkdir()
    file.write_text(f"[default]\naws_secret_access_key = {SECRET}\n")
    file.chmod(0o600)
    (tmp_path / ".aws/config").write_text("[profile team]\nregion = eu-west-1\n")
    (found,) = check_aws({}, tmp_path, True)
    assert (found.status, found.found) == ("ok", "from profile default")
    (found,) = check_aws({"AWS_PROFILE": "team"}, tmp_path, True)
    assert found.found == "from profile team"
    file.chmod(0o644)
    (found,) = check_aws({}, tmp_path, True)
    assert found.status == "warning" and found.fix == f"chmod 600 {file}"
    role = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_ARN": "arn:x"}
    assert check_aws(role, tmp_path, True)[0].found == "a role, by web identity"


def test_the_source_of_the_hub_s_token_is_named(tmp_path: Path) -> None:
    assert "none is needed" in check_hub({}, tmp_path, False)[0].found
    assert "gated" in check_hub({}, tmp_path, True)[0].found
    (found,) = check_hub({"HF_TOKEN": SECRET}, tmp_path, True)
    assert found.found == "from the environment" and SECRET not in str(found)
    (tmp_path / "token").write_text(SECRET)
    (tmp_path / "token").chmod(0o600)
    (found,) = check_hub({"HF_HOME": str(tmp_path)}, tmp_path, True)
    assert found.status == "ok" and found.found == f"from {tmp_path}/token"


def test_the_source_of_mlflow_s_user_is_named(tmp_path: Path) -> None:
    assert check_mlflow_user({}, tmp_path)[0].status == "ok"
    pair = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": SECRET}
    assert check_mlflow_user(pair, tmp_path)[0].found == "from the environment"
    half = {"MLFLOW_TRACKING_PASSWORD": SECRET}
    (found,) = check_mlflow_user(half, tmp_path)
    assert found.status == "error" and SECRET not in str(found)
    token = {"MLFLOW_TRACKING_TOKEN": SECRET}
    assert "a token" in check_mlflow_user(token, tmp_path)[0].found
