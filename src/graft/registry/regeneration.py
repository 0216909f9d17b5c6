"""Generate a version's predictions again, on the present test split."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graft.config.params import Params
from graft.hardware.device import choose_device
from graft.inference.examples import read_examples
from graft.inference.generate import GenerationPlan, generate, plan_passes
from graft.inference.run_journal import RunJournal
from graft.models.adapter_record import check_record, read_record, weights_digest
from graft.prompts import load_template
from graft.registry.candidate import Candidate
from graft.registry.conditions import LATENCY, MEMORY
from graft.registry.log import DecisionLog
from graft.tracking.versions import RegisteredVersion


@dataclass(frozen=True)
class Regeneration:
    """The engine of stage generate, for a registered version.

    Args:
        params: of the pipeline; base model and prompt must be those of the version.
        splits: folder of the splits.
    """

    params: Params
    splits: Path

    def __call__(self, log: DecisionLog, version: RegisteredVersion) -> Candidate:
        """The version with new predictions and costs.

        Raises: ModelError if its base model or prompt template is another one.
        """
        from graft.training.base import load_base
        from graft.training.full_finetuning import is_full_model
        from graft.training.tuning import load_tuned

        params = self.params
        template = load_template(params.model, params.prompt)
        plan = GenerationPlan.of(params.generation)
        with tempfile.TemporaryDirectory() as folder:
            adapter = log.versions.fetch_adapter(version, Path(folder))
            check_record(read_record(adapter), adapter, params.model, template.hash)
            device = choose_device(
                params.generation.device, params.model, params.quantization
            )
            generated = generate(
                plan_passes(
                    load_base(params.model, params.quantization, device),
                    partial(load_tuned, folder=adapter),
                    plan.decoding,
                    keeps_base=not is_full_model(adapter),
                ),
                template,
                read_examples(self.splits / "test", params.generation.max_examples),
                plan,
                RunJournal(Path(folder) / "generate.jsonl", "regenerated"),
                adapter=weights_digest(adapter),
            )
        metrics = {MEMORY: generated.memory_gib}
        if tuned := generated.latency.get("tuned"):
            metrics[LATENCY] = tuned.p95_ms
        return Candidate(
            version.version,
            generated.predictions,
            version.tags,
            metrics,
            generated.device,
        )
