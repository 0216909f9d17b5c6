"""`graft export`: an adapter, or a merged model, as a folder for other programs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from graft import io
from graft.config import (
    GenerationConfig,
    ModelConfig,
    PromptConfig,
    QuantizationConfig,
    RegistryConfig,
)
from graft.errors import ModelError
from graft.exporting import folders
from graft.exporting.prompt import write_prompt
from graft.inference.examples import read_examples
from graft.models.adapter_record import RECORD, AdapterRecord, check_record, read_record
from graft.models.vllm_adapters import vllm_rank
from graft.prompts import Template, load_template
from graft.records import Message
from graft.training.saving import atomic_weights

if TYPE_CHECKING:
    from graft.exporting.merging import Merge

NUM_TEXTS = 8
PAIRS = [
    ("The little cat sleeps in the red house.", "It has slept there since Monday."),
    ("Où est la gare ?", "La gare est à 200 mètres, à gauche."),
    ("Write a list of three colours.", "1. red\n2. green\n3. blue"),
]
"""What models are compared on where there is no test split."""


def run(
    model: ModelConfig,
    prompt: PromptConfig,
    generation: GenerationConfig,
    registry: RegistryConfig,
    *,
    to: Path,
    adapter: Path = Path("models/adapter"),
    merge: bool = False,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    splits: Path = Path("data/splits"),
) -> None:
    """Write an adapter as vLLM, PEFT and Transformers read it, or a merged model.

    Args:
        to: folder to write.
        adapter: folder of the adapter.
        merge: write the base with the adapter in its weights instead, unquantized, and
            compare both on some of the test split.
        device: where the comparison runs.
        splits: folder of the splits, for the comparison.
    """
    record = read_record(adapter)
    template = load_template(model, prompt)
    check_record(record, adapter, model, template.hash)
    is_full = is_full_model(adapter, merge)
    needed = folders.num_bytes(model) if merge else folders.size_of(adapter)
    folders.check_target(to, needed)
    place = folders.choose_place(device, model) if merge else ""
    with atomic_weights(to) as partial:
        partial.mkdir()
        differs = write_prompt(model, prompt, template, partial)
        if is_full:
            folders.write_full_model(adapter, model, partial, ends_of(template))
            io.write_json(partial / RECORD, asdict(record))
            described, served = (
                f"model    all weights, {model.dtype}\n",
                f"vllm serve {to}",
            )
        elif merge:
            sequences = to_sequences(splits / "test", template)
            described = write_merged(
                adapter, record, model, template, sequences, place, partial
            )
            served = f"vllm serve {to}"
        else:
            described, flags = write_adapter(adapter, model, partial)
            served = flags and f"vllm serve {flags.format(to=to, name=registry.name)}"
    print(described + closing(to, served, differs, generation.stop))


def is_full_model(adapter: Path, merge: bool) -> bool:
    """Whether a model was trained whole; else it is an adapter.

    Raises: ModelError if it is neither, or there is nothing to merge.
    """
    from graft.training import full_finetuning

    if (adapter / folders.ADAPTER).is_file():
        return False
    if not full_finetuning.is_full_model(adapter):
        raise ModelError(
            str(adapter),
            "has no adapter",
            expected=f"{folders.ADAPTER}, as the train stage leaves it",
            fix="run the pipeline: dvc repro train; or fetch it: dvc pull",
        )
    if merge:
        raise ModelError(
            str(adapter),
            "there is no adapter to merge: all weights were trained",
            fix="export it without --merge, which copies the model",
        )
    return True


def ends_of(template: Template) -> dict[str, int | list[int]]:
    """The EOS and padding tokens, as keys of generation_config.json."""
    ends = template.stop_ids
    return {
        "eos_token_id": ends[0] if len(ends) == 1 else ends,
        "pad_token_id": template.pad_id,
    }


def to_sequences(test: Path, template: Template) -> list[list[int]]:
    """Token ids of some of the test split, or of a few sentences without one."""
    if test.is_dir():
        return [example.input_ids for example in read_examples(test, NUM_TEXTS)]
    conversations = [
        [Message(role="user", content=text), Message(role="assistant", content=answer)]
        for text, answer in PAIRS
    ]
    return [encoded.input_ids for encoded in template.encode(conversations)]


def write_adapter(adapter: Path, model: ModelConfig, out: Path) -> tuple[str, str]:
    """Write the adapter; returns a description, and vLLM's flags if it supports it."""
    config = folders.write_adapter(adapter, model.path, model.revision, out)
    io.write_json(out / RECORD, io.read_json(adapter / RECORD))
    kind = (
        "DoRA" if config["use_dora"] else "rsLoRA" if config["use_rslora"] else "LoRA"
    )
    described = f"adapter  {kind} of rank {config['r']}, float32, on {model.path}\n"
    rank = vllm_rank(config["r"])
    if config["use_dora"]:
        note = "         vLLM does not support DoRA: export with --merge\n"
        return described + note, ""
    if rank is None:
        note = "         above the largest rank of vLLM: export with --merge\n"
        return described + note, ""
    commit = f" --revision {config['revision']}" if config["revision"] else ""
    flags = f"{model.path}{commit} --tokenizer {{to}} --enable-lora "
    return described, f"{flags}--max-lora-rank {rank} --lora-modules {{name}}={{to}}"


def write_merged(
    adapter: Path,
    record: AdapterRecord,
    model: ModelConfig,
    template: Template,
    sequences: list[list[int]],
    device: str,
    out: Path,
) -> str:
    """Write and check the merged model; returns a description."""
    from graft.exporting.merging import merge_adapter

    trained = QuantizationConfig.model_validate(record.params["quantization"])
    ends = ends_of(template)
    done = merge_adapter(adapter, model, trained, sequences, device, out, ends)
    merged: Mapping[str, object] = {"dtype": model.dtype, **asdict(done)}
    io.write_json(out / RECORD, {**asdict(record), "merged": merged})
    where = f"{model.path}@{model.revision}, {model.dtype}, on {device}"
    return f"merged   into {where}; its revision is {done.revision}\n" + to_table(
        done, model.dtype, trained.method
    )


def to_table(done: "Merge", dtype: str, method: str) -> str:
    """How far the merged model and others are from the unquantized base + adapter."""
    measured = [("merged", done.merged, f"{done.tolerance:.2%} allowed for {dtype}")]
    if done.trained:
        name = f"{method} + adapter"
        measured.append(
            (name, done.trained, "as trained; reports/evaluate.json scores it")
        )
    measured.append(("base alone", done.base, "how far the adapter moves it"))
    head = ["", "mean difference", "of spread", "same choice", ""]
    rows = [
        [
            name,
            f"{found.difference:.3g}",
            f"{found.relative:.2%}",
            f"{found.agreement:.1%}",
            note,
        ]
        for name, found, note in measured
    ]
    lines = [
        f"logits of {done.merged.num_tokens:,} tokens, which spread by "
        f"{done.merged.spread:.2f}, against the unquantized base + adapter:",
        *io.align([head, *rows], right=range(1, 4)),
    ]
    if done.trained:
        lines.append("The merged model itself was not scored.")
    return "\n".join(lines) + "\n"


def closing(out: Path, served: str, differs: str, stop: list[str]) -> str:
    """Where the model is, how to serve it, and which settings a server needs."""
    lines = [f"written  {out}"]
    if served:
        lines.append(f"serve    {served}")
    if stop:
        lines.append(f"         with each request: stop={json.dumps(stop)}")
    if differs:
        lines.append(f"prompt   NOT as in training: {differs}")
    else:
        lines.append("prompt   the chat template gives the ids of training")
    return "\n".join(lines)
