"""Stage `generate`: base and tuned model on the test split → completions and costs."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

from graft import cli, config, io
from graft.hardware.device import choose_device
from graft.hardware.machine import device_name, library_versions
from graft.inference.adapter_check import check_validation_loss
from graft.inference.answer_limits import check_answer_limits
from graft.inference.examples import read_examples
from graft.inference.generate import GenerationPlan, generate, plan_passes
from graft.inference.generated import write_generated
from graft.inference.run_journal import RunJournal
from graft.models.adapter_record import check_record, read_record, weights_digest
from graft.models.files import check_tokenizer
from graft.prompts import load_template
from graft.training.base import load_base
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
        that training measured.
    """
    template = load_template(model, prompt)
    check_record(read_record(adapter), adapter, model, template.hash)
    check_tokenizer(model, io.read_json(tokens).get("tokenizer_files", {}))
    check_held_out(splits, "test")
    examples = read_examples(splits / "test", generation.max_examples)
    warnings = check_answer_limits(examples, generation)
    device = choose_device(generation.device, model, quantization)
    plan, weights = GenerationPlan.of(generation), weights_digest(adapter)
    inputs = {
        "adapter": weights,
        "model": model.model_dump(mode="json"),
        "quantization": quantization.model_dump(mode="json"),
        "template": template.hash,
        "plan": asdict(plan),
        "examples": [asdict(example) for example in examples],
        "device": device_name(device),
        "versions": library_versions(),
        "code": code.read_text("utf-8") if code.is_file() else "",
    }
    journal = RunJournal(journals / "generate.jsonl", io.digest(inputs))
    if len(journal):
        print(f"{journal.path}: going on after {len(journal)} finished chunks")
    base = load_base(model, quantization, device)
    check = partial(
        check_validation_loss,
        examples=read_examples(splits / "validation", None),
        trained_loss=io.read_json(training)["validation_loss"],
        where=str(adapter),
    )
    generated = generate(
        plan_passes(
            base,
            partial(load_tuned, folder=adapter),
            plan.decoding,
            keeps_base=not is_full_model(adapter),
        ),
        template,
        examples,
        plan,
        journal,
        adapter=weights,
        check_tuned=check,
        warnings=warnings,
    )
    write_generated(out, generated)
    journal.remove()


if __name__ == "__main__":
    cli.stage(run)
