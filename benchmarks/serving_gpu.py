"""The API's throughput on one GPU beside that of its engine offline.

    python benchmarks/serving_gpu.py --shape mistral-7b-v0.3 --streams 256

Random weights of a real shape in NF4, with an adapter of rank 16. The engine's process
first completes the prompts offline, twice, then serves them: one copy of the model, the
same slots. Clients run in a process of their own, as in benchmarks/serving.py. Texts
are those of the tiny tokenizer: ids of the larger vocabulary are taken modulo its size.
"""

import argparse
import gc
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from serving import clients, compare, make_rows


class FoldedIds:
    """A template that decodes any id, and has no stop tokens."""

    stop_ids: list[int] = []

    def __init__(self, template: Any) -> None:
        self._template, self._size = template, template.vocab_size

    def __getattr__(self, name: str) -> Any:
        return getattr(self._template, name)

    def decode(self, ids: Any, **options: Any) -> str:
        """The text of ids modulo the size of the vocabulary."""
        return str(self._template.decode([i % self._size for i in ids], **options))


def load(words: dict[str, Any], folder: Path) -> tuple[Any, Any]:
    """The batch of the API, after the offline runs; called in the engine's process."""
    import torch
    from generation_checks import with_adapter
    from random_base import SHAPES, make_random_base
    from tiny_server import served_version
    from training_speed import make_quantization

    from graft.inference.batching import ContinuousBatch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    method = "nf4" if device == "cuda" else "none"
    template = FoldedIds(served_version().template)
    shape = dict(SHAPES[words["shape"]])
    shape["vocab_size"] = max(shape["vocab_size"], template.vocab_size)
    if words["layers"]:
        shape["num_hidden_layers"] = words["layers"]
    base = make_random_base(shape, make_quantization(method=method), device)
    base.config._attn_implementation = "sdpa"  # pylint: disable=protected-access
    tuned = with_adapter(base)
    tuned.save_pretrained(folder)
    base = tuned.unload()
    batch = ContinuousBatch(base, words["streams"], 2 * words["tokens"] + 100)
    batch.add_adapter("offline", folder)
    events, rates = batch.events(), []
    rows = make_rows(template, argparse.Namespace(**words))
    for run in range(3):  # the first one compiles
        for row in rows:
            batch.add(replace(row, key=(run, row.key), adapter="offline"))
        start = time.perf_counter()
        wanted, count = sum(row.max_new_tokens for row in rows), 0
        while count < wanted:
            count += len(next(events).tokens)
        rates.append(count / (time.perf_counter() - start))
    print(f"offline {', '.join(f'{rate:,.0f}' for rate in rates)} tokens/s", flush=True)
    (folder / "offline.json").write_text(json.dumps(rates[1:]), "utf-8")
    return Resumed(batch, events), template


class Resumed:
    """A batch whose events go on where the offline runs ended."""

    def __init__(self, batch: Any, events: Any) -> None:
        self._batch, self._events = batch, events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def events(self) -> Any:
        """The rest of the events."""
        return self._events


def main() -> None:
    """Print a line for each round, and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", default="mistral-7b-v0.3")
    parser.add_argument("--streams", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--requests", type=int, default=4, help="of each stream")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, help="fewer layers, for a trial")
    words = parser.parse_args()
    from api_server import running
    from tiny_server import OneVersion, load_without_weights, serving_config

    from graft.serving.engine_process import EngineProcess

    class Registry(OneVersion):
        """Its only version has the adapter that the engine's process wrote."""

        def fetch(self, version: str) -> tuple[Any, Path]:
            return self.version, folder

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = load_without_weights()
        template: Any = FoldedIds(loaded.version.template)
        version = replace(loaded.version, adapter="1", template=template)
        loaded = replace(loaded, version=version, length=2 * words.tokens + 100)
        serving = serving_config(slots=words.streams, max_open_requests=2048)
        process = EngineProcess("serving_gpu:load")
        process.start_loading(vars(words), folder)
        with running(loaded, serving, process, Registry(version)) as api:
            port = int(api.url.rpartition(":")[2])
            offline = median(json.loads((folder / "offline.json").read_text("utf-8")))
            clients(port, words.streams, 16)
            gc.collect()
            gc.freeze()  # as `graft serve` does
            compare(port, words, lambda: offline)


if __name__ == "__main__":
    main()
