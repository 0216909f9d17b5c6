"""What the panels of training, guards and spans need: a real training, one answer on
which a guard acts, and a collector of spans."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from graft import io
from graft.config.params import Params
from graft.models.files import tokenizer_digests
from graft.prompts import load_template
from graft.records import SEQUENCE_SCHEMA
from graft.telemetry.training import PORT
from rehearsal.adapters import encode, read_pairs
from rehearsal.processes import running

BLOCKED = "rehearsed"
"""The word of the block list, which no version writes without being made to."""
SPLITS = {"train": 240, "validation": 8, "test": 8}


@dataclass
class SpanCollector:
    """Takes spans by OTLP over HTTP.

    Attributes:
        num_messages: that were received.
    """

    url: str
    num_messages: int = field(default=0)


@contextmanager
def span_collector() -> Iterator[SpanCollector]:
    """Take spans until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # pylint: disable=invalid-name
            self.rfile.read(int(self.headers["content-length"]))
            collector.num_messages += 1
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:  # pylint: disable=arguments-differ
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = SpanCollector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def guards(folder: Path) -> str:
    """The guard of the rehearsal, as a value of `serving.guards`."""
    path = folder / "blocked.txt"
    path.write_text(BLOCKED + "\n", "utf-8")
    return f"[{{kind: block_list, file: {path}}}]"


def guarded_fields() -> dict[str, Any]:
    """Fields of a request whose answer can only be the blocked word."""
    schema = {"name": "blocked", "schema": {"const": BLOCKED}}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


@contextmanager
def training(params: Params, folder: Path, port: int) -> Iterator[None]:
    """Train the tiny base by `graft.stages.train` until the end of the block.

    Args:
        params: whose registry gets the run.
        folder: for its files.
        port: of its metrics.
    """
    values = params.to_plain()
    values["train"] |= {
        "device": "cpu",
        "max_steps": 5000,
        "log_every": 1,
        "evaluate_every": 5000,
        "early_stopping_patience": None,
    }
    file, tokens = folder / "params.yaml", folder / "tokenize.json"
    io.write_text(file, yaml.safe_dump(values))
    template = load_template(params.model, params.prompt)
    known = {
        "template_hash": template.hash,
        "tokenizer_files": tokenizer_digests(params.model),
    }
    io.write_json(tokens, known)
    _write_splits(params, folder / "splits")
    outputs = {
        "params": file,
        "splits": folder / "splits",
        "tokens": tokens,
        "checkpoints": folder / "checkpoints",
        "out": folder / "trained",
        "report": folder / "train.json",
        "curves": folder / "curves",
    }
    words = [word for name, path in outputs.items() for word in (f"--{name}", path)]
    command = [sys.executable, "-m", "graft.stages.train", *map(str, words)]
    with running("train", command, folder, {PORT: str(port)}):
        yield


def _write_splits(params: Params, folder: Path) -> None:
    import pyarrow as pa

    template = load_template(params.model, params.prompt)
    pairs = list(dict.fromkeys(read_pairs(2 * sum(SPLITS.values()))))
    for split, number in SPLITS.items():
        chosen, pairs = pairs[:number], pairs[number:]
        rows = []
        for place, (ids, labels) in enumerate(encode(template, chosen)):
            source, answer = chosen[place]
            rows.append(
                {
                    "id": f"{split}-{place}",
                    "messages": [{"role": "user", "content": source}],
                    "references": [answer],
                    "group": f"{split}-{place}",
                    "stratum": "all",
                    "split": None,
                    "where": f"{split}:{place}",
                    "input_ids": ids,
                    "loss_mask": [label >= 0 for label in labels],
                    "num_bytes": len(answer.encode()),
                    "augmented": False,
                }
            )
        table = pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)
        io.write_batches(folder / split, [table], SEQUENCE_SCHEMA)
