"""Exports of a version, loaded and run by plain transformers and PEFT."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from graft.errors import ModelError
from graft.exporting.folders import write_adapter, write_full_model
from graft.exporting.merging import merge_adapter
from graft.exporting.prompt import write_prompt
from graft.inference.next_tokens import plain_logprobs
from graft.prompts import Template
from graft.records import Message
from graft.registry.certificate import WayAnswers
from graft.training.base import dtype_on, quantization_of
from graft.training.full_finetuning import is_full_model

if TYPE_CHECKING:
    from graft.registry.certificate_ways import CertifiedVersion

Chats = Sequence[Sequence[Message]]


def adapter_answers(
    version: "CertifiedVersion",
    chats: Chats,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    scratch: Path,
) -> WayAnswers:
    """The exported adapter over the base in the quantization of training; or the
    exported model, if it was trained whole.

    Raises: ModelError if the export's prompts differ from those of training.
    """
    from peft import PeftModel

    model, out = version.model, scratch / "adapter"
    out.mkdir()
    _write_prompt(version, out)
    if is_full_model(version.adapter):
        write_full_model(version.adapter, model, out, ends_of(version.template))
        loaded = _load(str(out), None, version, None)
    else:
        write_adapter(version.adapter, model.path, model.revision, out)
        stored = quantization_of(version.quantization, version.device)
        revision = model.revision if len(model.revision) == 40 else None
        base = _load(model.path, revision, version, stored)
        loaded = PeftModel.from_pretrained(base, out)
    return _answers(loaded, out, version, chats, sequences, starts)


def merged_answers(
    version: "CertifiedVersion",
    chats: Chats,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    scratch: Path,
) -> WayAnswers:
    """The merged model.

    Raises: ModelError if the merge differs from the unquantized base with the adapter,
        or the export's prompts from those of training.
    """
    out = scratch / "merged"
    out.mkdir()
    _write_prompt(version, out)
    merge_adapter(
        version.adapter,
        version.model,
        version.quantization,
        sequences,
        version.device,
        out,
        ends_of(version.template),
    )
    loaded = _load(str(out), None, version, None)
    return _answers(loaded, out, version, chats, sequences, starts)


def ends_of(template: Template) -> dict[str, Any]:
    """The EOS and padding tokens, as keys of generation_config.json."""
    return {"eos_token_id": template.stop_ids, "pad_token_id": template.pad_id}


def _write_prompt(version: "CertifiedVersion", out: Path) -> None:
    differs = write_prompt(version.model, version.prompt, version.template, out)
    if differs:
        raise ModelError(str(version.adapter), f"the exported prompt: {differs}")


def _load(
    path: str, revision: str | None, version: "CertifiedVersion", stored: Any
) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        path,
        revision=revision,
        dtype=dtype_on(version.device, version.model.dtype),
        quantization_config=stored,
        device_map={"": version.device},
        trust_remote_code=False,
        use_safetensors=True,
    )


def _answers(
    model: Any,
    folder: Path,
    version: "CertifiedVersion",
    chats: Chats,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
) -> WayAnswers:
    """Greedy answers, one by one, by `generate` with the exported tokenizer."""
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model.eval()
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=version.decoding.max_new_tokens,
        **ends_of(version.template),
    )
    texts = []
    with torch.inference_mode():
        for chat in chats:
            found = tokenizer.apply_chat_template(
                list(chat), add_generation_prompt=True, return_dict=False
            )
            ids = torch.tensor([list(found)], device=version.device)
            done = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=config,
            )[0, ids.shape[1] :]
            text = tokenizer.decode(done, skip_special_tokens=True)
            texts.append(_before(text.removeprefix(" "), version.decoding.stop))
    return WayAnswers(texts, plain_logprobs(model, sequences, starts))


def _before(text: str, stop: Sequence[str]) -> str:
    """The text before the first stop text."""
    places = [place for one in stop if (place := text.find(one)) >= 0]
    return text[: min(places)] if places else text
