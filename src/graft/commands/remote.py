"""`graft remote`: the S3 remote of DVC."""

import os
from pathlib import Path

from graft.cloud.remote import set_remote


def run() -> None:
    """Set DVC's default remote to the S3 address in the environment variable
    GRAFT_S3_URL (see .env.example)."""
    url = set_remote(os.environ, Path.cwd())
    print(f"dvc push and dvc pull use {url}")
