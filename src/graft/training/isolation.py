"""Check before training that a token attends only to earlier tokens of its document.

Families differ in how their attention is replaced and where positions come from. One
that keeps its own attention, or counts positions along the packed row, would train
without an error although documents attend to each other, or tokens to later ones.
"""

from typing import Any

import torch
from torch import Tensor

from graft.errors import ModelError
from graft.records import shorten
from graft.training.attention import lay_out
from graft.training.dropout import without_dropout

_LENGTHS = (12, 16)
_ROUNDING = 0.05
"""Tolerance, relative to the logits' standard deviation, for rounding to 16 bits in a
deep model. Wrong positions or another attention change logits by more."""


def check_isolation(model: Any, dtype: torch.dtype, *, packed: bool = True) -> None:
    """Compare a document's logits with another last token; and where rows are packed,
    with another document before it, and alone in a row.

    Args:
        model: with packed attention, as it will be trained.
        dtype: of matrix products.
        packed: whether rows will hold several documents.
    Raises: ModelError if a token changes earlier logits, if the first document changes
        the second one's logits, or if these differ from those of the document alone.
    """
    kind, size = model.config.model_type, model.config.vocab_size
    generator = torch.Generator().manual_seed(0)
    first, other, second = (
        torch.randint(size, (length,), generator=generator)
        for length in (_LENGTHS[0], *_LENGTHS)
    )
    try:
        with without_dropout(model):
            alone, other_end = (
                _logits(model, dtype, [document])
                for document in (second, torch.cat((second[:-1], first[:1])))
            )
            beside, beside_other = (
                _logits(model, dtype, documents)[-len(second) :] if packed else alone
                for documents in ([first, second], [other, second])
            )
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        problem = f"packed attention fails: {shorten(error, 200)}"
        raise _refused(kind, problem) from error
    if not torch.equal(alone[:-1], other_end[:-1]):
        raise _refused(kind, "a token attends to later tokens", fix="take another base")
    if not torch.equal(beside, beside_other):
        raise _refused(kind, "documents of a packed row attend to each other")
    if (beside - alone).abs().mean() > _ROUNDING * alone.std():
        raise _refused(kind, "logits of a document differ in a packed row and alone")


def _logits(model: Any, dtype: torch.dtype, documents: list[Tensor]) -> Tensor:
    """Logits of packed documents. Shape [tokens, vocab]."""
    lengths, device = [len(document) for document in documents], model.device
    with torch.no_grad(), torch.autocast(device.type, dtype, dtype != torch.float32):
        out = model(
            input_ids=torch.cat(documents)[None].to(device),
            position_ids=torch.cat([torch.arange(n) for n in lengths])[None].to(device),
            documents=lay_out(lengths, str(device)),
            use_cache=False,
        )
    found: Tensor = out.logits[0].float()
    return found


def _refused(
    kind: str,
    problem: str,
    fix: str = "take another base; or set train.packing=false and "
    "train.micro_batch_size=1, so that each row has one document",
) -> ModelError:
    return ModelError(
        f"a base of model_type {kind}",
        problem,
        expected="an architecture whose attention can be replaced, such as Llama, "
        "Mistral, Qwen, Gemma, Phi, or GPT-2 without dropout",
        fix=fix,
    )
