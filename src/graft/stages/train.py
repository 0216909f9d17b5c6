"""Stage `train`: train and validation splits → an adapter and its curves."""

import time
from pathlib import Path

from graft import cli, config, io, tracking
from graft.config.params import Params
from graft.hardware.device import choose_device
from graft.hardware.machine import describe_use
from graft.inference.answer_limits import check_answer_limits
from graft.inference.examples import read_examples
from graft.training import outputs
from graft.training.learning import require_learning
from graft.training.parallel import join, launch
from graft.training.session import Recipe, Session
from graft.training.tuning import save_tuned


def run(
    adapter: config.AdapterConfig,
    model: config.ModelConfig,
    quantization: config.QuantizationConfig,
    prompt: config.PromptConfig,
    generation: config.GenerationConfig,
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
    # Now, not after hours of training.
    check_answer_limits(
        read_examples(splits / "test", generation.max_examples), generation
    )
    recipe = Recipe(adapter, model, quantization, prompt, tokenize, train)
    device = choose_device(train.device, model, quantization)
    if launch(train.num_processes, device):
        return
    with join(device) as group:
        session = Session.open(recipe, splits, tokens, checkpoints, group)
        if not group.is_first:
            session.make_loop(outputs.NullMetricLog()).run()
            return
        journal = session.store.folder / "journal.jsonl"
        with tracking.start_run(registry, journal) as tracked:
            outputs.log_inputs(
                tracked,
                params,
                splits,
                session.digests,
                session.template_hash,
                tokens.parent,
            )
            loop = session.make_loop(tracked)
            progress = loop.run()
            outputs.write_curves(curves, progress.history)
            io.write_json(report, session.report(progress, loop.num_steps))
            tracked.log_artifact(report, "reports")
            tracked.log_artifact(curves, "curves")
            require_learning(progress, train.must_learn)
            facts = session.facts() | {
                "run_id": tracked.run_id,
                "params": params.of_training(),
                "machine": describe_use(group.device, time.monotonic() - start),
            }
            save_tuned(loop.model, out, facts, model)
            session.store.finish()


if __name__ == "__main__":
    cli.stage(run)
