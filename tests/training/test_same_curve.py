"""A hundred steps, compared with a plain loop of transformers, PEFT and torch."""

from typing import Any

import pytest
import torch
from small_training import Log, make_documents
from transformers import AutoModelForCausalLM

from graft.training.adapter import attach_adapter
from graft.training.batches import PackedDocuments

NUM_STEPS, SEED = 100, 42


def train_plainly(
    base: Any, params: Any, documents: PackedDocuments, rates: list[float]
) -> list[float]:
    """The loss of each step, document by document and without packing; graft only
    determines which documents a step has."""
    adapter = params.adapter.model_copy(update={"rank": 4, "alpha": 8.0})
    model = attach_adapter(base, adapter, params.train, checkpointing=False).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, weight_decay=0.0)
    losses = []
    for step, rate in enumerate(rates):
        packs = [int(n) for part in documents.step(step, 2, 2, SEED) for n in part]
        texts = [document for pack in packs for document in documents.packs[pack]]
        total, count = torch.zeros(()), 0
        for text in texts:
            span = slice(*documents.starts[[text, text + 1]])
            ids = torch.from_numpy(documents.tokens[span])[None]
            labels = torch.where(
                torch.from_numpy(documents.loss_mask[span]), ids, torch.tensor(-100)
            )
            trained = int((labels[:, 1:] != -100).sum())
            if trained:
                total = total + model(input_ids=ids, labels=labels).loss * trained
            count += trained
        (total / count).backward()
        torch.nn.utils.clip_grad_norm_(weights, params.train.max_grad_norm)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        losses.append((total / count).item())
    return losses


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
def test_each_of_a_hundred_losses_equals_that_of_plain_libraries(
    make_loop: Any, model_config: Any, params: Any
) -> None:
    documents, changes = make_documents(120, length=32), {
        "max_steps": NUM_STEPS,
        "evaluate_every": NUM_STEPS,
        "global_batch_size": 2,
        "seed": SEED,
    }
    curves, rates = {}, []
    for fused in (None, "input"):
        log = Log()
        changed = {"train": documents, "dropout": 0.0, "fused": fused, **changes}
        make_loop(f"run-{fused}", log, **changed).run()
        lines = [values for _, values in log.seen if "train/loss" in values]
        curves[fused] = [values["train/loss"] for values in lines]
        rates = [values["train/learning_rate"] for values in lines]
    base = AutoModelForCausalLM.from_pretrained(model_config.path).requires_grad_(False)
    expected = train_plainly(base, params, documents, rates)
    assert len(expected) == NUM_STEPS and expected[-1] < expected[0] - 0.1
    for found in curves.values():
        assert found == pytest.approx(expected, rel=2e-4)
