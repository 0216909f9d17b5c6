"""An S3 server in a separate process, on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ports import free_port, wait_for_port

BUCKET = "data"


@contextmanager
def serve_s3() -> Iterator[str]:
    """The address of an S3 server without buckets."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for_port(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def make_environment(endpoint: str) -> dict[str, str]:
    """The variables that a user sets in .env, with fake credentials; makes a bucket."""
    found = {
        "GRAFT_S3_URL": f"s3://{BUCKET}/graft",
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "pa55word",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    code = f"import boto3; boto3.client('s3').create_bucket(Bucket={BUCKET!r})"
    keep = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"}
    subprocess.run([sys.executable, "-c", code], env=keep | found, check=True)
    return found
