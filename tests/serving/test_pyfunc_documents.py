"""A registered model of the task completion continues texts as in its evaluation."""

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tiny_pipeline import make_adapter, make_base, make_params

from graft.inference.examples import HeldOutExample
from graft.inference.generation import complete
from graft.inference.held_out_prompts import to_prompt
from graft.inference.open_prompts import encode_open
from graft.inference.results import Decoding
from graft.prompts import load_template
from graft.records import Message
from graft.serving.model_inputs import to_conversations

ROOT = Path(__file__).parents[2]
TEXT = "The night was cold, and the lamp had gone out."


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_text_is_continued_like_the_beginning_of_a_held_out_document(
    tmp_path: Path,
) -> None:
    from graft.serving.pyfunc import AdaptedModel  # MLflow warns of its type hints

    make_base(tmp_path / "base")
    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    values["task"]["name"] = "completion"
    params = make_params(values, tmp_path / "base")
    make_adapter(params, tmp_path / "adapter")
    template = load_template(params.model, params.prompt)
    document = [Message(role="assistant", content=TEXT)]
    (encoded,) = template.encode([document])
    example = HeldOutExample(
        "1", "f:1", "1", "all", document, [], encoded.input_ids, encoded.loss_mask, 46
    )
    prompt = to_prompt(example, template, 12)
    assert TEXT.startswith(prompt.text)
    (turns,) = to_conversations(prompt.text, opens_documents=True)
    assert encode_open(template, turns) == prompt.ids
    asked = [Message(role="user", content=prompt.text)]
    assert encode_open(template, asked) == template.encode_prompt(asked) != prompt.ids

    decoding = Decoding.of(params.generation)
    model: Any = AdaptedModel()
    model.load_context(
        SimpleNamespace(
            artifacts={"adapter": str(tmp_path / "adapter")},
            model_config={"decoding": asdict(decoding)},
        )
    )
    expected = complete(model.model, template, [prompt.ids], decoding).texts
    assert model.predict(None, [prompt.text]) == expected
    assert "".join(model.predict_stream(None, prompt.text)) == expected[0]
    chat = {"messages": [{"role": "user", "content": prompt.text}]}
    assert model.predict(None, [chat]) != expected
