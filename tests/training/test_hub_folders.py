"""Local folders of Llama, Mistral and Qwen2 models load by path."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_folders import save_bpe, save_pieces, save_weights
from settings import CHAT

from graft.commands.describe import describe
from graft.config import ModelConfig, PromptConfig
from graft.config.params import Params
from graft.errors import ModelError, TemplateError
from graft.inference.generation import Decoding, complete
from graft.models.files import model_digest
from graft.prompts import Template, load_template
from graft.training.adapter import attach_adapter
from graft.training.attention import lay_out
from graft.training.base import load_base

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")

# Of 260 thousand parameters such models exist: 64 wide, 172 within, 8 heads on 4 keys.
SMALLEST: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 172,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "tie_word_embeddings": True,
}
SHAPES: dict[str, dict[str, Any]] = {
    "llama": {},
    "llama-float32": {"dtype": "float32"},
    "llama-float16": {"dtype": "float16"},
    "llama-tied": {"tie_word_embeddings": True},
    "llama-smallest": SMALLEST,
    "llama-48": {"hidden_size": 48},
    "llama-172": {"hidden_size": 172, "num_attention_heads": 2},
    "llama-shards": {"shard_size": "20KB"},
    "mistral": {"model_type": "mistral", "head_dim": 16, "sliding_window": None},
    "mistral-window": {"model_type": "mistral", "sliding_window": 64},
    "qwen2": {"model_type": "qwen2"},
    "qwen2-tied": {"model_type": "qwen2", "tie_word_embeddings": True},
}
PATTERN = CHAT.model_copy(update={"style": "pattern", "pattern": "en: {source}\nfr:"})
PROMPTS = [[{"role": "user", "content": text}] for text in ("The cat", "The", "Été ?")]


def use(params: Params, model: ModelConfig, prompt: PromptConfig, method: str) -> None:
    """Generate with a model, and train an adapter on it for one step."""
    quantization = params.quantization.model_copy(
        update={"method": method, "double_quant": method != "none"}
    )
    template = load_template(model, prompt)
    prompts = [template.encode_prompt(turns) for turns in PROMPTS]
    tuned_base = load_base(model, quantization, "cpu")
    found = complete(tuned_base, template, prompts, Decoding(max_new_tokens=5))
    assert len(found.texts) == 3 and found.num_tokens > 0
    check_training(params, load_base(model, quantization, "cpu", "packed"), template)


def check_training(params: Params, base: Any, template: Template) -> None:
    """Train two steps: every adapter gets a gradient, and the loss falls."""
    tuned = attach_adapter(base, params.adapter, params.train, checkpointing=False)
    answer = {"role": "assistant", "content": "Le chat dort."}
    rows = template.encode([[*turns, answer] for turns in PROMPTS])
    lengths = [len(row.input_ids) for row in rows]
    ids = torch.tensor([[token for row in rows for token in row.input_ids]])
    places = torch.cat([torch.arange(length) for length in lengths])[None]
    weights = {n: p for n, p in tuned.named_parameters() if p.requires_grad}
    # All seven projections of both layers, and neither embeddings nor output layer.
    assert len(weights) == 2 * 2 * 7 and all("proj" in name for name in weights)
    optimizer = torch.optim.Adam(weights.values(), lr=1e-2)
    losses = []
    for _ in range(4):
        with torch.autocast("cpu", torch.bfloat16):
            logits = tuned(
                input_ids=ids,
                position_ids=places,
                documents=lay_out(lengths, "cpu"),
                use_cache=False,
            ).logits
        loss = torch.nn.functional.cross_entropy(logits[0, :-1].float(), ids[0, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] < 20
    assert all(weight.grad.isfinite().all() for weight in weights.values())


@pytest.mark.parametrize("method", ["nf4", "none"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_folder_of_this_shape_generates_and_trains(
    params: Params, tmp_path: Path, shape: str, method: str
) -> None:
    save_weights(tmp_path, **SHAPES[shape])
    save_bpe(tmp_path)
    use(params, describe(tmp_path), PATTERN, method)


@pytest.mark.parametrize("pad", [True, False])
def test_a_chat_template_of_the_folder_is_used(
    params: Params, tmp_path: Path, pad: bool
) -> None:
    save_weights(tmp_path, "qwen2", tie_word_embeddings=True)
    save_bpe(tmp_path, chat=True, pad=pad)
    model = describe(tmp_path)
    template = load_template(model, CHAT)
    assert template.pad_id not in template.stop_ids
    assert template.show(template.stop_ids) == "<|im_end|>"
    use(params, model, CHAT, "nf4")


def test_a_folder_without_a_chat_template_suggests_a_pattern(
    tmp_path: Path,
) -> None:
    save_weights(tmp_path)
    save_bpe(tmp_path)
    with pytest.raises(TemplateError, match="style: pattern"):
        load_template(describe(tmp_path), CHAT)


def test_a_llama_with_a_sentencepiece_model_alone_opens_texts_with_bos(
    params: Params, tmp_path: Path
) -> None:
    save_weights(tmp_path, **SMALLEST)
    save_pieces(tmp_path)
    model = describe(tmp_path)
    template = load_template(model, PATTERN)
    assert template.encode_prompt(PROMPTS[2])[0] == 1
    assert (template.eos_id, template.pad_id) == (2, 0)
    use(params, model, PATTERN, "nf4")


def test_a_tokenizer_without_special_tokens_uses_those_of_the_configuration(
    params: Params, tmp_path: Path
) -> None:
    save_weights(tmp_path, bos_token_id=1, eos_token_id=[2, 4])
    save_bpe(tmp_path)
    named = load_template(describe(tmp_path), PATTERN)
    (tmp_path / "tokenizer_config.json").unlink()
    model = describe(tmp_path)
    bare = load_template(model, PATTERN)
    assert bare.eos_id == named.eos_id == 2
    assert bare.encode_prompt(PROMPTS[0]) == named.encode_prompt(PROMPTS[0])
    use(params, model, PATTERN, "none")


@pytest.mark.parametrize("shape", ["llama-48", "llama-smallest"])
def test_4_bit_layers_of_odd_shapes_compute_with_their_weights(
    params: Params, tmp_path: Path, shape: str
) -> None:
    from bitsandbytes.functional import dequantize_4bit

    save_weights(tmp_path, **SHAPES[shape])
    save_bpe(tmp_path)
    base = load_base(describe(tmp_path), params.quantization, "cpu").eval()
    layer = base.model.layers[0].mlp.down_proj
    states = torch.randn(5, layer.in_features)
    weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    with torch.no_grad():
        found = layer(states)
    assert torch.allclose(found, states @ weight.float().T, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("method", ["nf4", "none"])
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"intermediate_size": 70}, "weights of the wrong shape"),
        ({"num_hidden_layers": 3}, "has no weights"),
        ({"num_attention_heads": 5}, "not a multiple"),
        ({"model_type": "nonesuch"}, "cannot be loaded"),
    ],
)
def test_a_configuration_that_its_weights_do_not_fit_is_refused(
    params: Params, tmp_path: Path, wrong: dict[str, Any], problem: str, method: str
) -> None:
    save_weights(tmp_path)
    save_bpe(tmp_path)
    path = tmp_path / "config.json"
    model = describe(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | wrong))
    changed = model.model_copy(update={"revision": model_digest(tmp_path)})
    quantization = params.quantization.model_copy(update={"method": method})
    with pytest.raises(ModelError, match=problem):
        load_base(changed, quantization, "cpu")
