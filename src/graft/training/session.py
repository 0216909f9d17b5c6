"""One training: its checked inputs, and the loop that it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from graft import config, io
from graft.config.params import Params
from graft.models.files import check_fits, check_tokenizer
from graft.planning.speed import MfuReference
from graft.prompts import load_template
from graft.tracking import Run
from graft.training import outputs
from graft.training.agreement import require_equal
from graft.training.base import dtype_on, load_base
from graft.training.batches import PackedDocuments, read_documents
from graft.training.checkpoints import CheckpointStore
from graft.training.fitting import (
    find_mfu_reference,
    probe_memory,
    resolve_checkpointing,
)
from graft.training.forward import prepare
from graft.training.held_out import check_held_out
from graft.training.learning import require_learning
from graft.training.loop import Loop
from graft.training.parallel import DataParallelGroup
from graft.training.remote_checkpoints import Remote
from graft.training.stores import open_store


@dataclass(frozen=True)
class Recipe:
    """The configuration of a training: with the data, all that affects its result."""

    adapter: config.AdapterConfig
    model: config.ModelConfig
    quantization: config.QuantizationConfig
    prompt: config.PromptConfig
    tokenize: config.TokenizeConfig
    train: config.TrainConfig


@dataclass(frozen=True)
class Session:
    """A training whose inputs are read and checked before any weight is loaded.

    Attributes:
        recipe: its configuration, with `auto` resolved.
        documents, digests: the splits by name, and the digests of their files.
        template_hash: of the prompt template of the data.
        store: checkpoints of this configuration and data.
        group: the processes that train together.
        mfu_reference: the reference for `mfu`; None: it is not logged.
    """

    recipe: Recipe
    documents: Mapping[str, PackedDocuments]
    digests: Mapping[str, str]
    template_hash: str
    store: CheckpointStore
    group: DataParallelGroup
    mfu_reference: MfuReference | None

    @classmethod
    def open(
        cls,
        recipe: Recipe,
        splits: Path,
        tokens: Path,
        checkpoints: Path,
        group: DataParallelGroup,
        remote: Remote | None = None,
    ) -> Self:
        """Read the splits, and check that all inputs match.

        Args:
            splits: folder of the splits.
            tokens: report of the tokenize stage.
            checkpoints: folder of the checkpoints of all trainings.
            remote: folder elsewhere that gets copies of them.
        Raises: ConfigError if the processes have different data; ModelError,
            TemplateError or DataError if base, tokenizer, template and data do not
            match; HardwareError if training does not fit into memory.
        """
        model, train = recipe.model, recipe.train
        length = recipe.tokenize.max_seq_len
        template = load_template(model, recipe.prompt)
        values = check_fits(model, template.vocab_size, length)
        check_tokenizer(model, io.read_json(tokens).get("tokenizer_files", {}))
        outputs.check_template(tokens, template.hash)
        check_held_out(splits, "validation")
        parts = outputs.PARTS
        documents = {p: read_documents(splits / p, p, length, train) for p in parts}
        digests = {p: io.digest_files(splits / p) for p in parts}
        sections = recipe.adapter, model, recipe.quantization, recipe.tokenize, train
        key = outputs.checkpoint_key(
            sections, {"data": digests, "template": template.hash}
        )
        require_equal(group, digests | {"prompt template": template.hash})
        remote = remote if group.is_first else None
        store = open_store(checkpoints, key, train.checkpoints_kept, remote)
        budget, trained = probe_memory(group), (
            recipe.adapter,
            recipe.quantization,
            train,
        )
        resolved = resolve_checkpointing(
            budget, values, model.dtype, trained, documents["train"]
        )
        mfu_reference = find_mfu_reference(
            budget, values, model.dtype, (*trained[:2], resolved), group.size
        )
        recipe = replace(recipe, train=resolved)
        return cls(
            recipe, documents, digests, template.hash, store, group, mfu_reference
        )

    def make_loop(self, log: Run | None) -> Loop:
        """Load and prepare the base, and resume from the last checkpoint, if any."""
        recipe, group = self.recipe, self.group
        base = load_base(
            recipe.model, recipe.quantization, group.device, attention="packed"
        )
        dtype = dtype_on(group.device, recipe.quantization.compute_dtype)
        loop = Loop(
            prepare(base, recipe.adapter, recipe.train, dtype, group),
            self.documents["train"],
            self.documents["validation"],
            recipe.train,
            self.store,
            log,
            group,
            self.mfu_reference,
        )
        loop.resume()
        return loop

    def log_inputs(self, run: Run, params: Params, splits: Path, reports: Path) -> None:
        """Log parameters, data sets, and the reports of the data stages to `run`."""
        run.log_params(
            {
                f"{section}.{key}": value
                for section, values in params.to_plain().items()
                for key, value in values.items()
            }
        )
        run.set_tags(
            {
                "template_hash": self.template_hash,
                "base_revision": params.model.revision,
            }
        )
        for part, digest in self.digests.items():
            run.log_dataset(f"{params.data.name}-{part}", splits / part, digest, part)
        for path in sorted(reports.glob("*.*")):
            if path.stem not in ("train", "evaluate"):
                run.log_artifact(path, "reports")

    def train(self, run: Run, report: Path, curves: Path) -> Any:
        """The tuned model. Report and curves are written and logged to `run`.

        Raises: ModelError if nothing was learned and `train.must_learn` is set.
        """
        loop = self.make_loop(run)
        progress = loop.run()
        outputs.write_curves(curves, progress.history)
        length = self.recipe.tokenize.max_seq_len
        io.write_json(
            report,
            outputs.to_report(
                progress, loop.num_steps, self.documents["train"], length
            ),
        )
        run.log_artifact(report, "reports")
        run.log_artifact(curves, "curves")
        require_learning(progress, self.recipe.train.must_learn)
        return loop.model
