"""Stage `train`: train and validation splits → an adapter and its curves."""

import time
from pathlib import Path

from graft import cli, config, io, tracking
from graft.machine import device_name, peak_memory_gib
from graft.models import check_fits, check_tokenizer
from graft.params import Params
from graft.prompts import load_template
from graft.training import outputs
from graft.training.base import dtype_on, load_base
from graft.training.batches import read_documents
from graft.training.checkpoints import open_store
from graft.training.device import choose_device
from graft.training.fitting import find_yardstick, look_at, settle
from graft.training.forward import prepare
from graft.training.learning import require_learning
from graft.training.loop import Loop
from graft.training.parallel import join, launch
from graft.training.progress import MetricLog
from graft.training.tuning import save_tuned


def run(
    adapter: config.AdapterConfig,
    model: config.ModelConfig,
    quantization: config.QuantizationConfig,
    registry: config.RegistryConfig,
    task: config.TaskConfig,
    tokenize: config.TokenizeConfig,
    train: config.TrainConfig,
    params: Params,
    splits: Path,
    tokens: Path,
    checkpoints: Path,
    out: Path,
    report: Path,
    curves: Path,
) -> None:
    """Train an adapter; after a kill, go on from the last checkpoint."""
    start = time.monotonic()
    device = choose_device(train.device, model, quantization)
    if launch(train.num_processes, device):
        return
    template = load_template(model, task.prompt)
    values = check_fits(model, template.vocab_size, tokenize.max_seq_len)
    check_tokenizer(model, io.read_json(tokens).get("tokenizer_files", {}))
    outputs.check_template(tokens, template.hash)
    length = tokenize.max_seq_len
    documents = {
        part: read_documents(splits / part, part, length, train)
        for part in outputs.PARTS
    }
    digests = {part: io.digest_files(splits / part) for part in outputs.PARTS}
    sections = (adapter, model, quantization, tokenize, train)
    key = outputs.key_of(sections, {"data": digests, "template": template.hash})
    store = open_store(checkpoints, key, train.checkpoints_kept)
    with join(device) as group:
        room, trained = look_at(group), (adapter, quantization, train)
        train = settle(room, values, model.dtype, trained, documents["train"])
        limit = find_yardstick(room, values, model.dtype, trained, group.size)

        def make_loop(log: MetricLog) -> Loop:
            base = load_base(model, quantization, group.device, attention="packed")
            dtype = dtype_on(device, quantization.compute_dtype)
            loop = Loop(
                prepare(base, adapter, train, dtype, group),
                documents["train"],
                documents["validation"],
                train,
                store,
                log,
                group,
                limit,
            )
            loop.resume()
            return loop

        if not group.is_first:
            make_loop(outputs.Silence()).run()
            return
        with tracking.start_run(registry, store.folder / "journal.jsonl") as tracked:
            outputs.log_inputs(
                tracked, params, splits, digests, template.hash, tokens.parent
            )
            loop = make_loop(tracked)
            progress = loop.run()
            facts = {
                "base_path": model.path,
                "base_revision": model.revision,
                "template_hash": template.hash,
                "run_id": tracked.run_id,
                "params": params.to_plain(),
                "machine": {
                    "device": device_name(group.device),
                    "memory_gib": peak_memory_gib(group.device),
                    "seconds": time.monotonic() - start,
                },
            }
            outputs.write_curves(curves, progress.history)
            io.write_json(
                report,
                outputs.to_report(progress, loop.num_steps, documents["train"], length),
            )
            tracked.log_artifact(report, "reports")
            tracked.log_artifact(curves, "curves")
            require_learning(progress, train.must_learn)
            save_tuned(loop.model, out, facts, model)
            store.finish()


if __name__ == "__main__":
    cli.stage(run)
