"""Stage `train`: train and validation splits → an adapter and its curves."""

import os
import time
from pathlib import Path

from graft import cli, config, tracking
from graft.cloud.checkpoint_remote import find_checkpoint_remote
from graft.config.params import Params
from graft.hardware.device import choose_device
from graft.hardware.machine import describe_use
from graft.inference.answer_limits import check_answer_limits
from graft.inference.examples import read_examples
from graft.metrics import get_metrics
from graft.training.agreement import describe_process, require_equal
from graft.training.launching import launch
from graft.training.parallel import join
from graft.training.session import Recipe, Session
from graft.training.tuning import save_tuned


def run(
    adapter: config.AdapterConfig,
    model: config.ModelConfig,
    quantization: config.QuantizationConfig,
    prompt: config.PromptConfig,
    generation: config.GenerationConfig,
    evaluate: config.EvaluateConfig,
    registry: config.RegistryConfig,
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
    """Train an adapter; resume from the last checkpoint if there is one."""
    start = time.monotonic()
    # What would stop generate or evaluate is found now, not after hours of training.
    get_metrics(evaluate.metrics)
    examples = read_examples(splits / "test", generation.max_examples)
    check_answer_limits(examples, generation)
    recipe = Recipe(adapter, model, quantization, prompt, tokenize, train)
    device = choose_device(train.device, model, quantization)
    if launch(train.num_processes, device):
        return
    remote = find_checkpoint_remote(os.environ)
    with join(device) as group:
        require_equal(group, describe_process(vars(recipe)))
        session = Session.open(recipe, splits, tokens, checkpoints, group, remote)
        if not group.is_first:
            session.make_loop(None).run()
            return
        journal = session.store.folder / "journal.jsonl"
        with tracking.start_run(registry, journal) as tracked:
            session.log_inputs(tracked, params, splits, tokens.parent)
            tuned = session.train(tracked, report, curves)
            facts = {
                "base_path": model.path,
                "base_revision": model.revision,
                "template_hash": session.template_hash,
                "run_id": tracked.run_id,
                "params": params.of_training(),
                "machine": describe_use(group.device, time.monotonic() - start),
            }
            save_tuned(tuned, out, facts, model)
            session.store.finish()


if __name__ == "__main__":
    cli.stage(run)
