"""Exports of a version, loaded and run by plain transformers and PEFT."""

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from graft.config import QuantizationConfig
from graft.errors import HardwareError, ModelError
from graft.exporting.folders import write_adapter, write_full_model
from graft.exporting.merging import merge_adapter
from graft.exporting.prompt import write_prompt
from graft.hardware.device import choose_device
from graft.inference.decoding import pad_left
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
    """The merged model, which is not quantized.

    Raises: ModelError if the merge differs from the unquantized base with the adapter,
        or the export's prompts from those of training; HardwareError if it does not fit
        this machine.
    """
    whole = QuantizationConfig(
        method="none", double_quant=False, compute_dtype=version.model.dtype
    )
    if version.device != "cpu":
        choose_device("cuda", version.model, whole)
    out = scratch / "merged"
    out.mkdir()
    _write_prompt(version, out)
    try:
        merge_adapter(
            version.adapter,
            version.model,
            whole,  # the certificate itself compares it with the quantized base
            sequences,
            version.device,
            out,
            ends_of(version.template),
        )
        loaded = _load(str(out), None, version, None)
        return _answers(loaded, out, version, chats, sequences, starts)
    except torch.OutOfMemoryError as error:
        raise HardwareError(version.device, "no memory for the merged model") from error


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
    """Greedy answers by `generate`, in batches of the evaluation's size, with the
    exported tokenizer."""
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model.eval()
    decoding, texts = version.decoding, list[str]()
    stops = set(version.template.stop_ids)
    config = GenerationConfig(
        do_sample=False,
        num_beams=decoding.num_beams,
        max_new_tokens=decoding.max_new_tokens,
        **ends_of(version.template),
    )
    with torch.inference_mode():
        for first in range(0, len(chats), decoding.batch_size):
            some = chats[first : first + decoding.batch_size]
            prompts = [_encode(tokenizer, chat) for chat in some]
            ids, mask = pad_left(prompts, version.template.pad_id, version.device)
            done = model.generate(
                input_ids=ids, attention_mask=mask, generation_config=config
            )[:, ids.shape[1] :]
            for row in done.tolist():
                answer = list(takewhile(lambda token: token not in stops, row))
                text = tokenizer.decode(answer, skip_special_tokens=True)
                texts.append(_before(text.removeprefix(" "), decoding.stop))
    return WayAnswers(texts, plain_logprobs(model, sequences, starts))


def _encode(tokenizer: Any, chat: Sequence[Message]) -> Sequence[int]:
    """Ids of a prompt, by transformers alone."""
    if [turn["role"] for turn in chat] == ["assistant"]:  # the beginning of a document
        ids: list[int] = tokenizer(chat[0]["content"])["input_ids"]
        return ids[:-1] if ids[-1:] == [tokenizer.eos_token_id] else ids
    found: Sequence[int] = tokenizer.apply_chat_template(
        list(chat), add_generation_prompt=True, return_dict=False
    )
    return found


def _before(text: str, stop: Sequence[str]) -> str:
    """The text before the first stop text."""
    places = [place for one in stop if (place := text.find(one)) >= 0]
    return text[: min(places)] if places else text
