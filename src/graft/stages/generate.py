"""Stage `generate`: base and tuned model on the test split → completions and costs."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from graft import cli, config, io
from graft.hardware.device import choose_device
from graft.hardware.machine import device_name, library_versions
from graft.inference.adapter_check import check_validation_loss
from graft.inference.answer_limits import check_answer_limits
from graft.inference.examples import read_examples
from graft.inference.generate import GenerationPlan, generate, plan_passes
from graft.inference.generated import write_generated
from graft.inference.run_journal import RunJournal
from graft.inference.vllm_backend import VllmBackend, VllmModel, choose_backend
from graft.models.adapter_record import check_record, read_record, weights_digest
from graft.models.files import check_tokenizer, model_folder
from graft.models.vllm_adapters import check_vllm_adapter
from graft.prompts import load_template
from graft.training.base import dtype_on, load_base
from graft.training.full_finetuning import is_full_model
from graft.training.held_out import check_held_out
from graft.training.tuning import load_tuned


def run(
    generation: config.GenerationConfig,
    model: config.ModelConfig,
    prompt: config.PromptConfig,
    quantization: config.QuantizationConfig,
    splits: Path,
    tokens: Path,
    adapter: Path,
    training: Path,
    out: Path,
    code: Path = Path("data/code/generate"),
    journals: Path = Path(".graft"),
) -> None:
    """Complete the same examples with both models; measure likelihood and latency.

    A run that was killed goes on with the chunks that are missing.
    Raises: DataError if a test example was trained on, or if too many references
        contain a stop text; ModelError if the adapter's validation loss is not the one
        that training measured, or vLLM's answers are not those of graft's engine.
    """
    template = load_template(model, prompt)
    check_record(read_record(adapter), adapter, model, template.hash)
    check_tokenizer(model, io.read_json(tokens).get("tokenizer_files", {}))
    check_held_out(splits, "test")
    examples = read_examples(splits / "test", generation.max_examples)
    warnings = check_answer_limits(examples, generation)
    device = choose_device(generation.device, model, quantization)
    backend = choose_backend(generation, template, examples, journals / "vllm")
    plan, weights = GenerationPlan.of(generation), weights_digest(adapter)
    inputs = {
        "adapter": weights,
        "model": model.model_dump(mode="json"),
        "quantization": quantization.model_dump(mode="json"),
        "template": template.hash,
        "plan": asdict(plan),
        "examples": [asdict(example) for example in examples],
        "device": device_name(device),
        "versions": {**library_versions(), **backend.versions},
        "code": code.read_text("utf-8") if code.is_file() else "",
    }
    journal = RunJournal(journals / "generate.jsonl", io.digest(inputs))
    if len(journal):
        print(f"{journal.path}: going on after {len(journal)} finished chunks")
    if isinstance(backend, VllmBackend):  # before graft's own model takes memory
        backend.run(_vllm_models(model, adapter, device), journal)
    base = load_base(model, quantization, device)
    tune = partial(load_tuned, folder=adapter)
    generated = generate(
        plan_passes(base, tune, plan.decoding, keeps_base=not is_full_model(adapter)),
        template,
        examples,
        plan,
        journal,
        adapter=weights,
        backend=backend,
        check_tuned=_adapter_check(splits, training, adapter),
        warnings=warnings,
    )
    write_generated(out, generated)
    journal.remove()


def _adapter_check(
    splits: Path, training: Path, adapter: Path
) -> Callable[[Any, str | None], float]:
    """The check of the tuned model's validation loss, which training reported."""
    return partial(
        check_validation_loss,
        examples=read_examples(splits / "validation", None),
        trained_loss=io.read_json(training)["validation_loss"],
        where=str(adapter),
    )


def _vllm_models(
    model: config.ModelConfig, adapter: Path, device: str
) -> list[VllmModel]:
    """The base with its adapter in one process; a full model in one of its own.

    Raises: ModelError if vLLM cannot run the adapter.
    """
    folder, is_cpu = model_folder(model.path, model.revision), device == "cpu"

    def load(folder: Path, dtype: str, **adapters: Path | None) -> VllmModel:
        name = str(dtype_on(device, dtype)).removeprefix("torch.")
        rank = max(check_vllm_adapter(one) if one else 1 for one in adapters.values())
        # A CPU is for tries: compiling takes longer there than it saves.
        return VllmModel(folder, name, adapters, rank, eager=is_cpu)

    if not is_full_model(adapter):
        return [load(folder, model.dtype, base=None, tuned=adapter)]
    stored = io.read_json(adapter / "config.json").get("dtype", "float32")
    return [
        load(folder, model.dtype, base=None),
        load(adapter, stored, tuned=None),
    ]


if __name__ == "__main__":
    cli.stage(run)
