"""The services, with the files of deploy/ and passwords of this stack alone."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

from local_stack.processes import Service, as_user, free_ports

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PORTS = (
    "postgres",
    "s3",
    "mlflow",
    "api",
    "telemetry",
    "watch",
    "prometheus",
    "alertmanager",
)
ADDRESSES = {"telemetry": 9464, "watch": 9465, "prometheus": 9090, "alertmanager": 9093}
"""Services whose ports deploy/prometheus names."""
SECRETS = ("POSTGRES", "MLFLOW", "MLFLOW_COOKIES", "S3", "API_KEY", "WATCH_TOKEN")


def make_secrets(known: Mapping[str, str]) -> dict[str, str]:
    """A random text for each secret; known ones are kept."""
    return {name: known.get(name) or secrets.token_hex(24) for name in SECRETS}


def make_ports() -> dict[str, int]:
    """A free port for each service."""
    return dict(zip(PORTS, free_ports(len(PORTS)), strict=True))


def to_environment(
    ports: Mapping[str, int], secret: Mapping[str, str]
) -> dict[str, str]:
    """What a client of the stack sets: DVC, stages, commands."""
    return {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['mlflow']}",
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": secret["MLFLOW"],
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports['s3']}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "graft",
        "AWS_SECRET_ACCESS_KEY": secret["S3"],
        "GRAFT_S3_URL": "s3://data/graft",
        "GRAFT_API_URL": f"http://127.0.0.1:{ports['api']}",
        "GRAFT_API_KEY": secret["API_KEY"],
        "GRAFT_PROMETHEUS_URL": f"http://127.0.0.1:{ports['prometheus']}",
        "GRAFT_ALERTMANAGER_URL": f"http://127.0.0.1:{ports['alertmanager']}",
    }


def stores(
    folder: Path, ports: Mapping[str, int], secret: Mapping[str, str]
) -> list[Service]:
    """PostgreSQL and S3."""
    postgres = [postgres_program("postgres"), "-D", str(folder / "postgres/data")]
    postgres += ["-p", str(ports["postgres"]), "-h", "127.0.0.1"]
    postgres += ["-k", str(folder / "postgres")]
    s3 = [
        s3_program(),
        "gateway",
        "--no-usage-report",
        "--no-banner",
        "--multi-buckets",
    ]
    s3 += ["--cache-dir", str(folder / "s3/cache"), "--cache-size", "1"]
    s3 += [s3_index(folder), f"127.0.0.1:{ports['s3']}"]
    user = {"MINIO_ROOT_USER": "graft", "MINIO_ROOT_PASSWORD": secret["S3"]}
    return [
        # SIGINT: connections are ended, and nothing is left to be recovered.
        Service(
            "postgres",
            postgres,
            ports["postgres"],
            signal=signal.SIGINT,
            user="postgres",
        ),
        Service("s3", s3, ports["s3"], user),
    ]


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


def mlflow(ports: Mapping[str, int], secret: Mapping[str, str]) -> Service:
    """MLflow with users, by the script of its image."""
    place = f"127.0.0.1:{ports['postgres']}"
    store = f"postgresql+psycopg2://mlflow:{secret['POSTGRES']}@{place}"
    environment = {
        **to_environment(ports, secret),
        "MLFLOW_BACKEND_STORE_URI": f"{store}/mlflow",
        "MLFLOW_AUTH_DATABASE_URI": f"{store}/mlflow_auth",
        "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/artifacts",
        "MLFLOW_ADMIN_USERNAME": "admin",
        "MLFLOW_ADMIN_PASSWORD": secret["MLFLOW"],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secret["MLFLOW_COOKIES"],
        "MLFLOW_HOST": "127.0.0.1",
        "MLFLOW_PORT": str(ports["mlflow"]),
    }
    del environment["MLFLOW_TRACKING_URI"]
    command = ["bash", str(DEPLOY / "docker/mlflow-server.sh")]
    return Service("mlflow", command, ports["mlflow"], environment)


def clients(
    folder: Path, ports: Mapping[str, int], secret: Mapping[str, str], model: str
) -> list[Service]:
    """The API and `graft watch`, as soon as there is a champion."""
    environment = to_environment(ports, secret)
    graft = [sys.executable, "-c", "from graft.cli import main; main()"]
    keys = f"-Sserving.keys_file={folder / 'api_keys.json'}"
    api = [*graft, "serve", f"-Sserving.port={ports['api']}", keys]
    api += [f"-Smonitoring.telemetry.port={ports['telemetry']}"]
    api += ["--cache", str(folder / "served")]
    watch = [*graft, "watch", f"-Smonitoring.watch.port={ports['watch']}"]
    watch += [f"-Smonitoring.watch.token_file={folder / 'watch_token'}"]
    has = partial(has_champion, environment, model)
    found = [Service("api", api, ports["api"], environment, is_wanted=has)]
    from graft.cli import COMMANDS

    if "watch" in COMMANDS:
        found.append(
            Service("watch", watch, ports["watch"], environment, is_wanted=has)
        )
    return found


def observers(folder: Path, ports: Mapping[str, int]) -> list[Service]:
    """Prometheus and Alertmanager, if they are installed, with the files of
    deploy/prometheus."""
    source, target = DEPLOY / "prometheus", folder / "prometheus"
    if not source.is_dir():
        return []
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for name in ("prometheus.yml", "alertmanager.yml"):
        (target / name).write_text(
            with_ports((source / name).read_text("utf-8"), ports), "utf-8"
        )
    shutil.copy(folder / "watch_token", target / "watch_token")
    found = []
    if program := shutil.which("prometheus"):
        words = [program, f"--config.file={target / 'prometheus.yml'}"]
        words += [f"--storage.tsdb.path={folder / 'metrics'}"]
        words += [f"--web.listen-address=127.0.0.1:{ports['prometheus']}"]
        found.append(Service("prometheus", words, ports["prometheus"]))
    if program := shutil.which("alertmanager") or shutil.which(
        "prometheus-alertmanager"
    ):
        words = [program, f"--config.file={target / 'alertmanager.yml'}"]
        words += [f"--storage.path={folder / 'alerts'}", "--cluster.listen-address="]
        words += [f"--web.listen-address=127.0.0.1:{ports['alertmanager']}"]
        found.append(Service("alertmanager", words, ports["alertmanager"]))
    return found


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    """A configuration of deploy/prometheus with the ports of this stack."""
    for name, port in ADDRESSES.items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ports[name]}")
    return text


def write_secret_files(folder: Path, secret: Mapping[str, str]) -> None:
    """The files that the API and Alertmanager read, for their owner alone."""
    digest = sha256(secret["API_KEY"].encode()).hexdigest()
    files = {
        "api_keys.json": json.dumps({"stack": digest}),
        "watch_token": secret["WATCH_TOKEN"],
    }
    for name, text in files.items():
        file = folder / name
        file.touch(0o600)
        file.write_text(text, "utf-8")


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


def has_champion(
    environment: Mapping[str, str],
    model: str,
    opener: Callable[..., object] = urllib.request.urlopen,
) -> bool:
    """Whether MLflow has a version with the alias champion."""
    pair = f"admin:{environment['MLFLOW_TRACKING_PASSWORD']}".encode()
    path = f"/api/2.0/mlflow/registered-models/alias?name={model}&alias=champion"
    request = urllib.request.Request(
        environment["MLFLOW_TRACKING_URI"] + path,
        headers={"Authorization": f"Basic {b64encode(pair).decode()}"},
    )
    try:
        opener(request, timeout=5)
    except (urllib.error.URLError, OSError):
        return False
    return True


def postgres_program(name: str) -> str:
    """The path of a program of PostgreSQL. Raises: FileNotFoundError."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name}: apt-get install postgresql")
    return path
