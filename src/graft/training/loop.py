"""The training loop: steps, validation, early stopping, checkpoints.

It replaces transformers' `Trainer`, so that a step depends only on the weights, the
optimizer state and the step number, which makes resuming exact, and so that packed rows
need neither padding nor a mask (docs/adr/0006-training-loop.md).
"""

import math
import signal
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace

import torch
from torch import Tensor

from graft.config import TrainConfig
from graft.errors import ModelError
from graft.planning.speed import MfuReference
from graft.process.signals import Deferred, deferred
from graft.tracking import Run
from graft.training.batches import PackedDocuments
from graft.training.checkpoints import CheckpointStore, Progress
from graft.training.dropout import without_dropout
from graft.training.failures import (
    divergence_error,
    has_diverged,
    out_of_memory_error,
)
from graft.training.forward import PreparedModel
from graft.training.neftune import added_noise
from graft.training.optimizer import learning_rate, make_optimizer
from graft.training.parallel import DataParallelGroup
from graft.training.progress import MACHINE_METRICS, Meter, StepStats
from graft.training.sharding import mean_loss, share_of_step
from graft.training.verification import Verification


class Loop:
    """Trains a model's trainable weights.

    Args:
        prepared: the model, its loss, and the names of the trained weights.
        train, validation: documents.
        config: the `train` section.
        store: of the checkpoints.
        log: the run that logs the metrics; None in all processes but the first.
        group: the processes that train together.
        mfu_reference: the reference for `mfu`; None: it is not logged.
    """

    def __init__(
        self,
        prepared: PreparedModel,
        train: PackedDocuments,
        validation: PackedDocuments,
        config: TrainConfig,
        store: CheckpointStore,
        log: Run | None,
        group: DataParallelGroup = DataParallelGroup(),
        mfu_reference: MfuReference | None = None,
    ) -> None:
        self.config, self.store, self._log = config, store, log
        self._group, self._mfu_reference = group, mfu_reference
        self.model = model = prepared.model
        self._prepared, self._forward = prepared, prepared.forward
        self._train, self._validation = train, validation
        self._device = str(model.device.type)
        named = ((n, p) for n, p in model.named_parameters() if p.requires_grad)
        self.weights: dict[str, Tensor] = dict(named)
        self._optimizer = make_optimizer(config, list(self.weights.values()))
        per_epoch = train.steps_per_epoch(config.global_batch_size)
        self.num_steps = config.max_steps or math.ceil(config.epochs * per_epoch)
        self.progress = Progress(0, 0, 0, math.inf, 0, [])
        self._seen: list[str] = []  # ids of the last step's examples
        self._signal, self._ends_early = Deferred(), False
        self._verification = Verification(
            prepared, train, config, self.weights, self._optimizer, self.without_dropout
        )

    def resume(self) -> int:
        """Load the last checkpoint, if any; returns the step, 0 without one."""
        last = self.store.load_last() if self._group.is_first else None
        if (last := self._group.broadcast(last)) is not None:
            self.progress, weights, optimizer = last
            self._set_weights(weights)
            self._optimizer.load_state_dict(optimizer)
        return self.progress.step

    def run(self) -> Progress:
        """Train to the last step, or until early stopping, and load the best weights.

        A signal to any process ends all of them, with a checkpoint of the step.

        Raises: ModelError if the loss is NaN or infinite, or diverges; HardwareError if
            memory runs out; LostProcessError; Interrupted.
        """
        self.model.train()
        first = self._group.is_first
        self._begin()
        meter = Meter(self.num_steps, self.progress, self._mfu_reference, shown=first)
        with closing(meter), deferred() as self._signal:
            while not self._done():
                try:
                    self._step(meter)
                except torch.OutOfMemoryError as error:
                    raise out_of_memory_error(self.config, self._device) from error
                step = self.progress.step
                checked = (
                    step == self.num_steps or step % self.config.evaluate_every == 0
                )
                # Also at a checkpoint, so that no mean spans two runs.
                if checked or step % self.config.log_every == 0:
                    self._log_values(step, meter.read(), "train")
                    self._stop_if_exploded()
                if checked:
                    self._evaluate(meter)
                if self._ends_early:
                    self._save_early(meter)
                    break
        if self.progress.best_step != self.progress.step:
            best = self.progress.best_step
            found = self.store.load_weights(best) if first else {}
            self._set_weights(self._group.broadcast(found))
        return self.progress

    def _begin(self) -> None:
        """Compute the initial validation loss, and check the gradients."""
        if self.progress.step == 0:
            loss = self.validation_loss()
            self.progress = replace(self.progress, initial_loss=loss)
            self._log_values(0, {"loss": loss}, "validation")
        if not self._done():
            self._verification.begin()

    def _done(self) -> bool:
        patience = self.config.early_stopping_patience
        patience_exhausted = (
            patience is not None and self.progress.worse_in_a_row >= patience
        )
        return patience_exhausted or self.progress.step >= self.num_steps

    def _step(self, meter: Meter) -> None:
        config, number = self.config, self.progress.step
        rate = learning_rate(
            number,
            self.num_steps,
            config.learning_rate,
            config.warmup_ratio,
            config.schedule,
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        # Dropout depends on the step, so that a resumed run draws the same masks.
        seed = config.seed * 1_000_003 + number
        torch.manual_seed(seed * self._group.size + self._group.rank)
        share = share_of_step(self._train, number, config, self._group, self._device)
        own = torch.zeros((), device=self._device)
        embedding = self.model.get_input_embeddings()
        for batch, counts in share.batches:
            # The mean is over the trained tokens of the step, not of each micro-batch.
            with added_noise(embedding, batch.documents.starts, config.neftune_alpha):
                loss = self._forward(batch) / share.weight * counts
            loss.backward()
            own += loss.detach()
        trained = list(self.weights.values())
        self._group.all_reduce_gradients(trained)
        norm = torch.nn.utils.clip_grad_norm_(trained, config.max_grad_norm)
        sums = self._group.all_reduce_sum([own.item(), self._signal.number])
        total, self._ends_early = sums[0], sums[1] > 0
        self._seen = [example for batch, _ in share.batches for example in batch.ids]
        if not math.isfinite(total) or not math.isfinite(norm.item()):
            problem = "the loss or its gradient is NaN or infinite"
            raise self._diverged(f"train step {number + 1}", problem, self._seen)
        with self._verification.watch_update():
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        num_tokens = self.progress.num_tokens + share.num_tokens
        self.progress = replace(self.progress, step=number + 1, num_tokens=num_tokens)
        counted = share.num_tokens, share.num_trained, share.capacity
        meter.add(StepStats(total, norm.item(), rate, *counted))

    def validation_loss(self) -> float:
        """Of the validation split, per trained token, in nats."""
        size = self.config.micro_batch_size
        with self.without_dropout():
            return mean_loss(self._prepared, self._validation, size, self._group)

    def without_dropout(self) -> AbstractContextManager[None]:
        """The context in which the loop validates and checks gradients."""
        return without_dropout(self.model)

    def _evaluate(self, meter: Meter) -> None:
        with meter.paused():
            loss = self.validation_loss()
            if not math.isfinite(loss):  # no checkpoint is written of such weights
                where = f"validation after step {self.progress.step}"
                raise self._diverged(where, "the loss is NaN or infinite")
            self._log_values(self.progress.step, {"loss": loss}, "validation")
            if better := loss < self.progress.best_loss:
                self.progress = replace(
                    self.progress, best_loss=loss, best_step=self.progress.step
                )
            worse = 0 if better else self.progress.worse_in_a_row + 1
            self.progress = replace(self.progress, worse_in_a_row=worse)
            self._save(meter)
            meter.show_validation(self.progress, loss)
            self._verification.after_validation(self.progress.step)

    def _save(self, meter: Meter) -> None:
        if self._group.is_first:
            progress = replace(self.progress, unlogged=meter.unlogged())
            weights = {name: p.detach() for name, p in self.weights.items()}
            self.store.save(progress, weights, self._optimizer.state_dict())

    def _save_early(self, meter: Meter) -> None:
        """Write a checkpoint, unless this step has one. All processes wait for it: the
        first that ends would end the others on its machine."""
        if self.progress.step not in self.store.steps():
            self._save(meter)
        if self._group.is_first:
            self.store.close()
        self._group.all_reduce_sum([0])
        self._signal.number = self._signal.number or signal.SIGTERM

    def _log_values(self, step: int, values: Mapping[str, float], part: str) -> None:
        named = {f"{part}/{name}": value for name, value in values.items()}
        if self._log is not None:
            self._log.log_metrics(named, step)
        curve = {
            name: value for name, value in named.items() if name not in MACHINE_METRICS
        }
        self.progress.history.append({"step": step, **curve})

    def _stop_if_exploded(self) -> None:
        ratio, history = self.config.max_loss_ratio, self.progress.history
        if ratio is not None and has_diverged(history, ratio):
            problem = f"the loss exploded to {history[-1]['train/loss']:.2f}"
            where = f"train step {self.progress.step}"
            raise self._diverged(where, problem, self._seen)

    def _diverged(
        self, where: str, problem: str, examples: Sequence[str] = ()
    ) -> ModelError:
        return divergence_error(where, problem, self.store.steps(), examples)

    def _set_weights(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(weights[name])
