"""Corruptions of a registered version in a folder, and what names each."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "adapter_model.safetensors"
ADAPTER = "version/artifacts/adapter"
CONFIG, RECORD = f"{ADAPTER}/adapter_config.json", f"{ADAPTER}/graft.json"


def edit_tensors(root: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    file = root / "version/artifacts/adapter" / WEIGHTS
    tensors = load_file(file)
    change(tensors)
    save_file({name: one.contiguous() for name, one in tensors.items()}, file)


def edit_json(path: str, **changes: Any) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        values = json.loads((root / path).read_text())
        (root / path).write_text(json.dumps(values | changes))

    return edit


def on_weights(
    change: Callable[[dict[str, torch.Tensor]], Any],
) -> Callable[[Path], None]:
    return lambda root: edit_tensors(root, change)


def first(tensors: dict[str, torch.Tensor], part: str = "lora_B") -> torch.Tensor:
    return next(tensors[name] for name in sorted(tensors) if part in name)


def swap_layers(tensors: dict[str, torch.Tensor], part: str) -> None:
    names = [f"{n}" for n in sorted(tensors) if part in n and "q_proj" in n]
    tensors[names[0]], tensors[names[1]] = tensors[names[1]], tensors[names[0]]


def flip(path: str, place: int) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        content = bytearray((root / path).read_bytes())
        content[place] ^= 1
        (root / path).write_bytes(content)

    return edit


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new, 1))

    return edit


def removed(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def other_base(root: Path) -> None:
    file = root / "base/model.safetensors"
    tensors = load_file(file)
    tensors["model.norm.weight"] += 1
    save_file(tensors, file, metadata={"format": "pt"})


CORRUPTIONS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a LoRA matrix is noise": (on_weights(lambda t: first(t).normal_()), WEIGHTS),
    "a LoRA matrix is zero": (on_weights(lambda t: first(t).zero_()), WEIGHTS),
    "a LoRA matrix is NaN": (on_weights(lambda t: first(t).fill_(torch.nan)), WEIGHTS),
    "a number is infinite": (
        on_weights(lambda t: first(t).view(-1)[:1].fill_(torch.inf)),
        WEIGHTS,
    ),
    "a sign is flipped": (on_weights(lambda t: first(t).neg_()), WEIGHTS),
    "A of two layers is swapped": (
        on_weights(lambda t: swap_layers(t, "lora_A")),
        WEIGHTS,
    ),
    "B of two layers is swapped": (
        on_weights(lambda t: swap_layers(t, "lora_B")),
        WEIGHTS,
    ),
    "weights are halved": (on_weights(lambda t: first(t).mul_(0.5)), WEIGHTS),
    "a matrix is missing": (on_weights(lambda t: t.pop(sorted(t)[0])), WEIGHTS),
    "a matrix is rounded": (
        on_weights(lambda t: first(t).copy_(first(t).bfloat16().float())),
        WEIGHTS,
    ),
    "one byte of the weights is flipped": (flip(f"{ADAPTER}/{WEIGHTS}", -1), WEIGHTS),
    "the weights are removed": (removed(f"{ADAPTER}/{WEIGHTS}"), WEIGHTS),
    "alpha is scaled": (edit_json(CONFIG, lora_alpha=80), "adapter_config.json"),
    "the rank is changed": (edit_json(CONFIG, r=4), "adapter_config.json"),
    "target modules are changed": (
        edit_json(CONFIG, target_modules=["q_proj"]),
        "adapter_config.json",
    ),
    "PEFT's base is changed": (
        edit_json(CONFIG, base_model_name_or_path="owner/other"),
        "adapter_config.json",
    ),
    "rsLoRA is switched on": (edit_json(CONFIG, use_rslora=True), "adapter_config"),
    "the recorded base is changed": (
        edit_json(RECORD, base_revision="0" * 16),
        "graft.json",
    ),
    "the recorded template is changed": (
        edit_json(RECORD, template_hash="0" * 16),
        "graft.json",
    ),
    "the record is removed": (removed(RECORD), "graft.json"),
    "a file is added": (
        lambda root: (root / ADAPTER / "adapter_model.bin").write_bytes(b"x"),
        "adapter_model.bin",
    ),
    "the chat template is changed by one byte": (
        flip("base/chat_template.jinja", 3),
        "chat_template.jinja",
    ),
    "the chat template is removed": (
        removed("base/chat_template.jinja"),
        "chat_template.jinja",
    ),
    "the tokenizer is another": (
        replaced("base/tokenizer.json", '"!"', '"\\u00a7\\u00a7"'),
        "tokenizer.json",
    ),
    "BOS is missing": (
        edit_json("base/tokenizer_config.json", bos_token=None),
        "tokenizer_config.json",
    ),
    "EOS is another token": (
        edit_json("base/tokenizer_config.json", eos_token="<unk>"),
        "tokenizer_config.json",
    ),
    "padding is another token": (
        edit_json("base/tokenizer_config.json", pad_token="</s>"),
        "tokenizer_config.json",
    ),
    "the base has other weights": (other_base, "the digest of the folder is"),
    "the base's shape is changed": (
        edit_json("base/config.json", rope_theta=1.0),
        "the digest of the folder is",
    ),
    "the base's end token is changed": (
        edit_json("base/generation_config.json", eos_token_id=0),
        "the digest of the folder is",
    ),
    "the base is gone": (lambda root: shutil.rmtree(root / "base"), "GRAFT_ROOT"),
}
