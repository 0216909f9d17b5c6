"""PostgreSQL and S3: their programs, folders, databases and buckets."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local_stack.environment import DEPLOY, to_environment
from local_stack.processes import Service, as_user


def stores(
    folder: Path, ports: Mapping[str, int], secret: Mapping[str, str]
) -> list[Service]:
    """PostgreSQL and S3."""
    postgres = [postgres_program("postgres"), "-D", str(folder / "postgres/data")]
    postgres += ["-p", str(ports["postgres"]), "-h", "127.0.0.1"]
    postgres += ["-k", str(folder / "postgres")]
    return [
        # SIGINT: connections are ended, and nothing is left to be recovered.
        Service(
            "postgres",
            postgres,
            ports["postgres"],
            signal=signal.SIGINT,
            user="postgres",
        ),
        s3_service(folder, ports["s3"], secret["S3"]),
    ]


def s3_service(folder: Path, port: int, password: str) -> Service:
    """S3, whose objects `prepare_s3` has made a place for."""
    words = [s3_program(), "gateway", "--no-usage-report", "--no-banner"]
    words += ["--multi-buckets", "--cache-dir", str(folder / "s3/cache")]
    words += ["--cache-size", "1", s3_index(folder), f"127.0.0.1:{port}"]
    user = {"MINIO_ROOT_USER": "graft", "MINIO_ROOT_PASSWORD": password}
    return Service("s3", words, port, user)


def prepare_s3(folder: Path) -> None:
    """Make the folder of the objects: JuiceFS keeps them as files, and an index."""
    if (folder / "s3/made").is_file():
        return
    shutil.rmtree(folder / "s3", ignore_errors=True)
    (folder / "s3").mkdir(mode=0o700)
    words = [s3_program(), "format", s3_index(folder), "stack", "--storage", "file"]
    words += ["--bucket", f"{folder / 's3/objects'}/", "--trash-days", "0"]
    subprocess.run(words, check=True, capture_output=True)
    (folder / "s3/made").touch()


def s3_index(folder: Path) -> str:
    """The address of JuiceFS's index."""
    return f"sqlite3://{folder / 's3/index.db'}"


def s3_program() -> str:
    """The path of JuiceFS in this environment."""
    return str(Path(sys.executable).with_name("juicefs"))


def prepare_postgres(folder: Path, secret: Mapping[str, str]) -> None:
    """Make the folder of the databases, whose only user has a password."""
    place = folder / "postgres"
    if (place / "data/PG_VERSION").is_file():
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    password = place / "password"
    password.touch(0o600)
    password.write_text(secret["POSTGRES"], "utf-8")
    words = ["-D", str(place / "data.partial"), "-U", "mlflow", "--auth=scram-sha-256"]
    words += ["-E", "UTF8", f"--pwfile={password}"]
    if os.geteuid() == 0:
        for path in (place, password):
            shutil.chown(path, "postgres")
    subprocess.run(
        [*as_user("postgres"), postgres_program("initdb"), *words],
        cwd="/",
        check=True,
        stdout=subprocess.DEVNULL,
    )
    password.unlink()
    (place / "data.partial").rename(place / "data")


def make_databases(ports: Mapping[str, int], secret: Mapping[str, str]) -> None:
    """Make the databases of runs and users, unless they exist."""
    import psycopg2

    connection = psycopg2.connect(
        host="127.0.0.1",
        port=ports["postgres"],
        user="mlflow",
        password=secret["POSTGRES"],
        dbname="postgres",
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        known = {name for (name,) in cursor.fetchall()}
        for name in {"mlflow", "mlflow_auth"} - known:
            cursor.execute(f"CREATE DATABASE {name}")
    connection.close()


def make_buckets(ports: Mapping[str, int], secret: Mapping[str, str]) -> None:
    """Make the buckets, by the script of deploy/compose."""
    words = [sys.executable, str(DEPLOY / "compose/make_buckets.py"), "data", "mlflow"]
    environment = {**os.environ, **to_environment(ports, secret)}
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)


def postgres_program(name: str) -> str:
    """The path of a program of PostgreSQL. Raises: FileNotFoundError."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name}: apt-get install postgresql")
    return path
