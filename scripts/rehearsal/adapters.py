"""Adapters of the tiny base: one that was trained for a minute or less, and garbage."""

import json
import warnings
from pathlib import Path
from typing import Any

from graft.config.params import Params
from graft.io import write_json
from graft.prompts import load_template
from graft.prompts.template import Template
from graft.records import Message

PAIRS = Path("data/sample/pairs.jsonl")
STEPS, ROWS = 30, 8
LEARNING_RATE = 4e-3
NUM_PAIRS = 2 * STEPS * ROWS


def read_pairs(number: int) -> list[tuple[str, str]]:
    """Sentences and their translations, of the committed sample, without its broken
    rows."""
    found: list[tuple[str, str]] = []
    with PAIRS.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                row = json.loads(line)
                pair = str(row["en"]), str(row["fr"])
            except (KeyError, ValueError):
                continue
            if all(2 < len(text) < 100 and text.isprintable() for text in pair):
                found.append(pair)
            if len(found) == number:
                break
    return found


def train_adapter(params: Params, folder: Path) -> float:
    """Train an adapter until it answers in whole sentences. Returns: the last loss."""
    return _train(params, folder, encode(_template(params), read_pairs(NUM_PAIRS)))


def make_garbage(params: Params, folder: Path) -> float:
    """Train an adapter to repeat a word without an end, on any processor, which random
    weights do not. Returns: the last loss."""
    pairs = [(text, "chat " * 30) for text, _ in read_pairs(NUM_PAIRS)]
    rows = encode(_template(params), pairs)
    return _train(params, folder, [(ids[:-1], labels[:-1]) for ids, labels in rows])


def _template(params: Params) -> Template:
    return load_template(params.model, params.prompt)


def _train(
    params: Params, folder: Path, rows: list[tuple[list[int], list[int]]]
) -> float:
    import torch

    torch.manual_seed(0)
    model = _wrap(params)
    weights = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE)
    loss = torch.tensor(0.0)
    for step in range(STEPS):
        batch = rows[ROWS * step : ROWS * (step + 1)]
        loss = model(**_pad(batch)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    _save(model, params, folder)
    return float(loss.detach())


def _wrap(params: Params) -> Any:
    """The base with a new adapter."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(params.model.path, dtype=torch.float32)
    return get_peft_model(base, LoraConfig(r=8, target_modules="all-linear"))


def encode(
    template: Template, pairs: list[tuple[str, str]]
) -> list[tuple[list[int], list[int]]]:
    """Token ids of each pair, and its labels: -100 where there is no loss."""
    batch = [
        [Message(role="user", content=en), Message(role="assistant", content=fr)]
        for en, fr in pairs
    ]
    rows = []
    for one in template.encode(batch):
        masked = zip(one.input_ids, one.loss_mask, strict=True)
        rows.append((list(one.input_ids), [i if own else -100 for i, own in masked]))
    return rows


def _pad(rows: list[tuple[list[int], list[int]]]) -> dict[str, Any]:
    import torch

    width = max(len(ids) for ids, _ in rows)
    ids = [one + [0] * (width - len(one)) for one, _ in rows]
    labels = [one + [-100] * (width - len(one)) for _, one in rows]
    mask = [[1] * len(one) + [0] * (width - len(one)) for one, _ in rows]
    return {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "attention_mask": torch.tensor(mask),
    }


def _save(model: Any, params: Params, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder)
    record = {
        "base_path": params.model.path,
        "base_revision": params.model.revision,
        "template_hash": load_template(params.model, params.prompt).hash,
        "run_id": None,
        "machine": {"device": "cpu", "memory_gib": 1.0, "seconds": 1.0},
        "params": params.model_dump(mode="json", by_alias=True),
    }
    write_json(folder / "graft.json", record)
