"""Make the buckets named as arguments, unless they exist. Address and credentials are
those of the environment, as for boto: AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID …"""

import sys

import boto3
from botocore.exceptions import ClientError


def make_bucket(client, name: str) -> None:  # type: ignore[no-untyped-def]
    """Raises: ClientError if there is no bucket of this name, and none can be made."""
    try:
        client.head_bucket(Bucket=name)
    except ClientError:
        client.create_bucket(Bucket=name)


if __name__ == "__main__":
    for bucket in sys.argv[1:]:
        make_bucket(boto3.client("s3"), bucket)
        print(bucket)
