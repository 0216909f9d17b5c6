from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_training import Log, make_documents
from torch.nn import functional
from transformers import AutoModelForCausalLM

from graft.config import FullConfig
from graft.errors import ModelError
from graft.io import read_json
from graft.models.files import model_digest
from graft.training.adapter import attach_adapter
from graft.training.base import load_base
from graft.training.forward import prepare
from graft.training.full_finetuning import is_full_model
from graft.training.tuning import load_served, load_tuned, save_tuned, tune

IDS = torch.tensor([[5, 9, 20, 31, 7]])


def full(freeze_layers: int = 0) -> FullConfig:
    return FullConfig(method="full", freeze_layers=freeze_layers)


def names_of_trained(model: Any) -> set[str]:
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


@pytest.fixture
def base(model_config: Any, unquantized: Any) -> Any:
    return load_base(model_config, unquantized, "cpu", "packed")


@pytest.fixture
def in_16_bits(base_folder: Path, tmp_path: Path, model_config: Any) -> Any:
    """A typical base: stored in bfloat16, with tied embeddings."""
    model = AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.bfloat16)
    model.config.tie_word_embeddings = True
    model.lm_head.weight = model.model.embed_tokens.weight
    model.save_pretrained(tmp_path / "base")
    values = {
        "path": str(tmp_path / "base"),
        "revision": model_digest(tmp_path / "base"),
        "dtype": "bfloat16",
    }
    return model_config.model_copy(update=values)


def test_every_weight_is_trained_in_float32(
    in_16_bits: Any, unquantized: Any, params: Any
) -> None:
    base = load_base(in_16_bits, unquantized, "cpu", "packed")
    model = tune(base, full(), params.train, checkpointing=False)
    assert names_of_trained(model) == {name for name, _ in model.named_parameters()}
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_frozen_first_layers_and_embeddings_do_not_change(
    base: Any, params: Any
) -> None:
    model = tune(base, full(1), params.train, checkpointing=False)
    trained = names_of_trained(model)
    assert {"lm_head.weight", "model.norm.weight"} < trained
    assert not any("layers.0." in name or "embed" in name for name in trained)
    assert sum("layers.1." in name for name in trained) == 9


def test_a_tied_embedding_is_trained_as_the_output_layer(
    in_16_bits: Any, unquantized: Any, params: Any
) -> None:
    base = load_base(in_16_bits, unquantized, "cpu", "packed")
    model = tune(base, full(1), params.train, checkpointing=False)
    assert "model.embed_tokens.weight" in names_of_trained(model)
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_freezing_every_layer_is_refused(base: Any, params: Any) -> None:
    with pytest.raises(ModelError, match="the base has 2 layers"):
        tune(base, full(2), params.train, checkpointing=False)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_of_packed_documents_are_those_of_each_alone(
    model_config: Any, unquantized: Any, params: Any, checkpointing: bool
) -> None:
    train = params.train.model_copy(update={"gradient_checkpointing": checkpointing})
    base = load_base(model_config, unquantized, "cpu", "packed")
    prepared = prepare(base, full(), train, torch.float32)
    model, forward = prepared.model, prepared.forward
    documents = make_documents(12)
    batch = documents.batch([0, 1], "cpu")
    model.train()
    forward(batch).backward()

    alone = AutoModelForCausalLM.from_pretrained(model_config.path)
    starts = batch.documents.starts.tolist()
    predicts = set(batch.predicts.tolist())
    for first, last in zip(starts, starts[1:]):
        ids = batch.input_ids[:, first:last]
        logits = alone(input_ids=ids).logits[0, :-1]
        losses = functional.cross_entropy(logits, ids[0, 1:], reduction="none")
        loss_mask = [first + place in predicts for place in range(last - first - 1)]
        (losses * torch.tensor(loss_mask)).sum().backward()
    expected = dict(alone.named_parameters())
    for name, weight in model.named_parameters():
        assert weight.grad is not None
        assert torch.allclose(weight.grad, expected[name].grad, atol=2e-4), name


def test_all_weights_learn_what_adapters_cannot(make_loop: Any) -> None:
    losses = {}
    documents = make_documents(60)
    for name, adapter in {"lora": None, "full": full()}.items():
        log = Log()
        changes = {"max_steps": 30, "learning_rate": 0.003}
        make_loop(name, log, train=documents, adapter=adapter, **changes).run()
        losses[name] = log.seen[-2][1]["train/loss"]
    assert losses["full"] < losses["lora"]


def test_a_saved_model_has_the_dtype_of_its_base(
    in_16_bits: Any, unquantized: Any, params: Any, tmp_path: Path
) -> None:
    base = load_base(in_16_bits, unquantized, "cpu", "packed")
    model = tune(base, full(), params.train, checkpointing=False)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    out = tmp_path / "tuned"
    save_tuned(model, out, {"run_id": "r"}, in_16_bits)
    assert is_full_model(out) and read_json(out / "graft.json") == {"run_id": "r"}
    stored = load_file(out / "model.safetensors")
    assert {weight.dtype for weight in stored.values()} == {torch.bfloat16}
    assert "lm_head.weight" not in stored  # tied to the embeddings
    with torch.no_grad():
        again = load_base(in_16_bits, unquantized, "cpu")
        plain = AutoModelForCausalLM.from_pretrained(out, dtype=again.dtype)
        expected = plain(input_ids=IDS).logits
        assert torch.equal(load_tuned(again, out)(input_ids=IDS).logits, expected)
        served = load_served(in_16_bits, unquantized, "cpu", out)
        assert torch.equal(served(input_ids=IDS).logits, expected)
    assert served.config.use_cache


def test_a_folder_with_an_adapter_is_loaded_as_an_adapter(
    model_config: Any, unquantized: Any, params: Any, tmp_path: Path
) -> None:
    base = load_base(model_config, unquantized, "cpu")
    model = attach_adapter(base, params.adapter, params.train, checkpointing=False)
    save_tuned(model, tmp_path / "adapter", {}, model_config)
    assert not is_full_model(tmp_path / "adapter")
    served = load_served(model_config, unquantized, "cpu", tmp_path / "adapter")
    assert "lora" in str(served.peft_config["default"].peft_type).lower()


def test_a_model_that_lacks_weights_is_refused(
    base: Any, params: Any, model_config: Any, unquantized: Any, tmp_path: Path
) -> None:
    model = tune(base, full(), params.train, checkpointing=False)
    out = tmp_path / "tuned"
    save_tuned(model, out, {}, model_config)
    config = (out / "config.json").read_text()
    more = config.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3')
    (out / "config.json").write_text(more)
    with pytest.raises(ModelError, match="has no weights for model.layers.2"):
        load_served(model_config, unquantized, "cpu", out)
