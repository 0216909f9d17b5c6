"""Stage `generate`: base and tuned model on the test split → completions and costs."""

from functools import partial
from pathlib import Path

from graft import cli, config, io
from graft.hardware.device import choose_device
from graft.inference.answer_limits import check_answer_limits
from graft.inference.examples import read_examples
from graft.inference.generate import GenerationPlan, generate
from graft.inference.generated import write_generated
from graft.models.adapter_record import check_record, read_record, weights_digest
from graft.models.files import check_tokenizer
from graft.prompts import load_template
from graft.training.base import load_base
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
    out: Path,
) -> None:
    """Complete the same examples with both models; measure likelihood and latency.

    Raises: DataError if a test example was trained on, or if too many references
        contain a stop text.
    """
    template = load_template(model, prompt)
    check_record(read_record(adapter), adapter, model, template.hash)
    check_tokenizer(model, io.read_json(tokens).get("tokenizer_files", {}))
    check_held_out(splits, "test")
    examples = read_examples(splits / "test", generation.max_examples)
    warnings = check_answer_limits(examples, generation)
    device = choose_device(generation.device, model, quantization)
    generated = generate(
        load_base(model, quantization, device),
        partial(load_tuned, folder=adapter),
        template,
        examples,
        GenerationPlan.of(generation),
        adapter=weights_digest(adapter),
        warnings=warnings,
    )
    write_generated(out, generated)


if __name__ == "__main__":
    cli.stage(run)
