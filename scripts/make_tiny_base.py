"""Trains models/tiny from nothing: a Mistral in miniature that knows two languages.

It plays the part that a 7B base model plays in real use: general skill in both
languages, none at the prompt of the translation task. The text is made as it goes by
`scripts/sample`; neither a test sentence nor that prompt is in it (checked here).

    python scripts/make_tiny_base.py --out models/tiny

takes minutes on a CUDA machine and hours on a CPU. The same seed gives the same text;
the weights differ in the last digits from one kind of machine to another.
"""

import argparse
import json
import math
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import GenerationConfig, MistralConfig, MistralForCausalLM

from sample.corpus import encode_corpus, texts
from sample.model_card import write_card
from sample.subwords import BOS, EOS, PAD, save_tokenizer, train_tokenizer

ROOT = Path(__file__).parents[1]
TEST_PATH = ROOT / "data/sample/pairs.jsonl"


@dataclass(frozen=True)
class Recipe:  # pylint: disable=too-many-instance-attributes
    """Everything that decides the weights."""

    seed: int = 20
    vocab_size: int = 3072
    hidden_size: int = 256
    intermediate_size: int = 768
    num_layers: int = 4
    num_heads: int = 4
    num_kv_heads: int = 2
    context: int = 1024
    num_tokens: int = 60_000_000
    epochs: int = 2
    glossaries: float = 0.0  # share of documents that are bilingual word lists
    phrase_books: float = 0.0  # … and bilingual phrase books
    batch: int = 64  # sequences of `context` tokens
    learning_rate: float = 3e-3
    warmup: float = 0.05
    weight_decay: float = 0.1


def build_model(recipe: Recipe, tokenizer: Tokenizer) -> MistralForCausalLM:
    """The untrained model; every dimension is a multiple of 64, the block of NF4."""
    settings: dict[str, Any] = {
        "vocab_size": recipe.vocab_size,
        "hidden_size": recipe.hidden_size,
        "intermediate_size": recipe.intermediate_size,
        "num_hidden_layers": recipe.num_layers,
        "num_attention_heads": recipe.num_heads,
        "num_key_value_heads": recipe.num_kv_heads,
        "head_dim": recipe.hidden_size // recipe.num_heads,
        "max_position_embeddings": recipe.context,
        "sliding_window": None,
        "tie_word_embeddings": True,
        "pad_token_id": tokenizer.token_to_id(PAD),
        "bos_token_id": tokenizer.token_to_id(BOS),
        "eos_token_id": tokenizer.token_to_id(EOS),
    }
    torch.manual_seed(recipe.seed)
    return MistralForCausalLM(MistralConfig.from_dict(settings))


def build_tokenizer(recipe: Recipe) -> Tokenizer:
    """A BPE over a sample of the same text."""
    shares = recipe.glossaries, recipe.phrase_books
    sample = texts(recipe.seed, -1, 40_000, *shares)
    return train_tokenizer(sample, recipe.vocab_size)


def _rate(recipe: Recipe, step: int, steps: int) -> float:
    """Linear warm-up, then a cosine down to a hundredth."""
    warm = max(1, int(steps * recipe.warmup))
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    progress = (step - warm) / max(1, steps - warm)
    return recipe.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)


def train(
    model: MistralForCausalLM, ids: NDArray[np.uint16], recipe: Recipe, device: str
) -> list[dict[str, float]]:
    """Trains in place; returns the loss curve.

    Args: ids: the corpus. Shape [tokens].
    """
    rows = len(ids) // recipe.context
    data = torch.from_numpy(ids[: rows * recipe.context].astype(np.int32))
    data = data.view(rows, recipe.context).to(device)  # [rows, context]
    model.to(device).train()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
        betas=(0.9, 0.95),
        fused=device == "cuda",
    )
    generator = torch.Generator().manual_seed(recipe.seed)
    per_epoch = rows // recipe.batch
    steps = per_epoch * recipe.epochs
    curve, started, order = [], time.time(), torch.empty(0)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(rows, generator=generator).to(device)
        first = (step % per_epoch) * recipe.batch
        batch = data[order[first : first + recipe.batch]].long()  # [batch, context]
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = model(input_ids=batch, labels=batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = _rate(recipe, step, steps)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % max(1, steps // 40) == 0 or step == steps - 1:
            seconds = time.time() - started
            point = {"step": step, "loss": round(loss.item(), 4)}
            curve.append(point | {"seconds": round(seconds, 1)})
            print(curve[-1], flush=True)
    return curve


def save(model: MistralForCausalLM, tokenizer: Tokenizer, out: Path) -> None:
    """Weights in bf16, configuration, tokenizer."""
    out.mkdir(parents=True, exist_ok=True)
    model.to("cpu", torch.bfloat16).eval()
    model.generation_config = GenerationConfig(
        bos_token_id=model.config.bos_token_id,
        eos_token_id=model.config.eos_token_id,
        pad_token_id=model.config.pad_token_id,
    )
    model.save_pretrained(out)
    save_tokenizer(tokenizer, out, model.config.max_position_embeddings)


def make(recipe: Recipe, out: Path) -> dict[str, Any]:
    """Text, tokenizer, training, files; returns the log."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    started = time.time()
    tokenizer = build_tokenizer(recipe)
    shares = recipe.glossaries, recipe.phrase_books
    ids = encode_corpus(tokenizer, recipe.num_tokens, recipe.seed, shares, TEST_PATH)
    text_s = time.time() - started
    model = build_model(recipe, tokenizer)
    curve = train(model, ids, recipe, device)
    save(model, tokenizer, out)
    log = {
        "recipe": asdict(recipe),
        "num_parameters": model.num_parameters(),
        "distinct_tokens": len(ids),
        "trained_tokens": len(ids) * recipe.epochs,
        "text_s": round(text_s, 1),
        "train_s": curve[-1]["seconds"],
        "final_loss": curve[-1]["loss"],
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "curve": curve,
    }
    (out / "train_log.json").write_text(json.dumps(log, indent=1) + "\n")
    write_card(log, out / "README.md")
    return log


def main() -> None:
    """The command line: one flag for each field of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "models/tiny")
    for name, value in asdict(Recipe()).items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=type(value), default=value)
    args = vars(parser.parse_args())
    make(Recipe(**{k: v for k, v in args.items() if k != "out"}), args["out"])


if __name__ == "__main__":
    main()
