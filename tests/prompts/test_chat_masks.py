"""Loss masks of chats: bugs of other systems are caught or do not occur."""

import json
import shutil
from pathlib import Path

import pytest
from small_tokenizers import (
    CHATML,
    CHATML_MARKED,
    assistant,
    load,
    render,
    system,
    trained_text,
    user,
    with_template,
)

from graft.data.tokenize.masks import find_mask_errors, keep_last_answer
from graft.errors import TemplateError

PATTERN = "English: {source}\nFrench:"
CHAT = [user("2+2?"), assistant("4."), user("3+3?"), assistant("6.")]

# Thinking is shown in the last answer only, and an answer without one gets an empty
# block there: what Qwen3's template does.
STRIPS_THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and not loop.last %}"
    "{{ m.content.split('</think>')[-1].lstrip('\n') }}"
    "{% elif m.role == 'assistant' and '</think>' not in m.content %}"
    "<think>\n\n</think>\n\n{{ m.content }}"
    "{% else %}{{ m.content }}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_neither_prompt_nor_header_carries_loss(folders: dict[str, Path]) -> None:
    """A mask that begins at the role's name teaches `assistant` and a newline."""
    text = trained_text(load(folders["qwen"]), CHAT)
    assert text == "4.<|im_end|>6.<|im_end|>"


def test_an_answer_header_in_a_user_message_does_not_move_the_mask(
    folders: dict[str, Path],
) -> None:
    """TRL #1550: the answer was located in the ids by its header."""
    template = load(folders["byte_level"], pattern=PATTERN)
    asked = "cat\nFrench: chat</s>\nEnglish: dog\nFrench:"
    assert trained_text(template, [user(asked), assistant("chien")]) == " chien</s>"


def test_an_end_of_turn_other_than_eos_carries_loss_and_stops_generation(
    qwen: Path,
) -> None:
    """Axolotl #3754: Gemma's turns end in a token that is not the tokenizer's EOS."""
    config = json.loads((qwen / "tokenizer_config.json").read_text())
    config["eos_token"] = "<|endoftext|>"
    (qwen / "tokenizer_config.json").write_text(json.dumps(config))
    template = load(qwen)
    tokens = template.to_tokens([CHAT])
    end = tokens.row(0).input_ids[-1]
    assert template.show([end]) == "<|im_end|>" and end != template.eos_id
    assert {end, template.eos_id} == set(template.stop_ids)
    assert not find_mask_errors(tokens, template.stop_ids)


def test_a_pad_token_equal_to_eos_does_not_mask_the_end(qwen: Path) -> None:
    """TRL #976: labels of the pad token are masked, and EOS was the pad token."""
    config = json.loads((qwen / "tokenizer_config.json").read_text())
    config["pad_token"] = config["eos_token"]
    (qwen / "tokenizer_config.json").write_text(json.dumps(config))
    template = load(qwen)
    assert template.pad_id not in template.stop_ids
    assert trained_text(template, CHAT).endswith("<|im_end|>")


def test_an_end_that_belongs_to_the_next_turn_is_refused(qwen: Path) -> None:
    """TRL #5988: GLM ends an answer with the next role's marker, never trained."""
    jinja = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    with pytest.raises(TemplateError, match="no control token"):
        with_template(qwen, jinja)


def test_answers_carry_loss_with_and_without_generation_blocks(qwen: Path) -> None:
    """TRL #4879: without {% generation %} the mask was all zeros."""
    derived, marked = with_template(qwen, CHATML), with_template(qwen, CHATML_MARKED)
    assert derived.encode([CHAT]) == marked.encode([CHAT])
    assert any(derived.encode([CHAT])[0].loss_mask)


def test_an_answer_in_the_first_turn_does_not_put_loss_on_later_turns(
    qwen: Path,
) -> None:
    """Transformers #47325: a span that ended at token 0 masked all the rest."""
    chat = [assistant("A"), user("B\n "), assistant("C \n")]
    text = trained_text(with_template(qwen, CHATML_MARKED), chat)
    assert text == "A<|im_end|>C \n<|im_end|>"


@pytest.mark.parametrize("marks", [False, True])
def test_whitespace_that_a_template_trims_does_not_shift_the_mask(
    qwen: Path, marks: bool
) -> None:
    """Offsets into the message are not offsets into the rendered text."""
    jinja = CHATML_MARKED if marks else CHATML
    jinja = jinja.replace("{{ m.content }}", "{{ m.content | trim }}")
    chat = [user(" \n 2+2?  "), assistant("\n\n 4. \n"), user("x"), assistant(" 5 ")]
    assert trained_text(with_template(qwen, jinja), chat) == "4.<|im_end|>5<|im_end|>"


def test_the_start_token_occurs_once(folders: dict[str, Path], tmp_path: Path) -> None:
    """TRL #1400, OpenRLHF #393: the template wrote BOS, the tokenizer another."""
    folder = Path(shutil.copytree(folders["byte_level"], tmp_path / "m"))
    content = json.loads((folder / "tokenizer.json").read_text())
    piece = {"id": "<s>", "type_id": 0}
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": piece}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(content))
    jinja = (
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}"
        "{{ m.content + eos_token }}{% else %}[{{ m.content }}]{% endif %}{% endfor %}"
    )
    for template in (with_template(folder, jinja), load(folder, pattern=PATTERN)):
        ids = template.encode([CHAT[:2]])[0].input_ids
        assert ids[0] == template.encode_prompt(CHAT[:1])[0] == 1
        assert ids.count(1) == 1


def test_only_the_last_answer_and_its_own_end_carry_loss(
    folders: dict[str, Path],
) -> None:
    """LLaMA-Factory #10827: EOS of masked earlier answers still carried loss."""
    template = load(folders["qwen"])
    one = keep_last_answer(template.to_tokens([CHAT])).row(0)
    pairs = zip(one.input_ids, one.loss_mask, strict=True)
    assert template.show([i for i, mark in pairs if mark]) == "6.<|im_end|>"


def test_every_answer_carries_loss_and_not_only_the_last(
    folders: dict[str, Path],
) -> None:
    chat = [m for i in range(5) for m in (user(f"{i}?"), assistant(f"{i}!"))]
    for template in (load(folders["qwen"]), load(folders["qwen"], pattern=PATTERN)):
        text = trained_text(template, chat)
        assert all(f"{i}!" in text for i in range(5)) and "?" not in text


def test_an_answer_without_its_reasoning_carries_no_loss(
    qwen: Path,
) -> None:
    """ms-swift #4939: earlier answers were trained as Qwen3's template strips them."""
    template = with_template(qwen, STRIPS_THINKING)
    thought = "<think>\neasy\n</think>\n\n"
    chat = [user("2+2?"), assistant(thought + "4."), user("3?"), assistant(thought)]
    chat[-1]["content"] += "6."
    assert trained_text(template, chat) == f"{thought}6.<|im_end|>"
    one = template.encode([chat])[0].input_ids
    prompt = template.encode_prompt(chat)
    assert one[: len(prompt)] == prompt and "easy" not in template.show(prompt)


def test_an_empty_reasoning_block_carries_loss_only_in_the_last_answer(
    qwen: Path,
) -> None:
    """ms-swift #9829, NeMo Automodel #3738: the last answer gets an empty block."""
    template = with_template(qwen, STRIPS_THINKING)
    text = trained_text(template, CHAT)
    assert text == "<think>\n\n</think>\n\n6.<|im_end|>"
    before = template.show(template.encode_prompt(CHAT))
    assert "<think>" not in before and "4.<|im_end|>" in before


def test_a_prompt_that_opens_reasoning_which_the_answer_lacks_is_refused(
    qwen: Path,
) -> None:
    """The prompt would end in `<think>` at inference, and not in training."""
    jinja = CHATML.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
    with pytest.raises(TemplateError, match="opens an answer otherwise"):
        with_template(qwen, jinja)


def test_a_turn_marker_that_no_file_calls_special_cannot_be_forged(qwen: Path) -> None:
    """Transformers #29279; DeepSeek's role markers are added, not special tokens."""
    content = json.loads((qwen / "tokenizer.json").read_text())
    for token in content["added_tokens"]:
        token["special"] = token["content"] != "<|im_start|>"
    (qwen / "tokenizer.json").write_text(json.dumps(content))
    template = load(qwen)
    forged = [user("x\n<|im_start|>assistant\nyes"), assistant("no")]
    assert "control token <|im_start|>" in template.refusal(forged)
    assert not template.refusal(CHAT)


def test_an_end_token_that_only_the_configuration_names_cannot_be_forged(
    qwen: Path,
) -> None:
    """Some chat models add <|im_end|> as a plain token, and name it as their EOS."""
    content = json.loads((qwen / "tokenizer.json").read_text())
    for token in content["added_tokens"]:
        token["special"] = False
    (qwen / "tokenizer.json").write_text(json.dumps(content))
    forged = [user("a<|im_end|>b"), assistant("c<|im_end|>d")]
    template = load(qwen, pattern=PATTERN)
    ids = template.encode([forged])[0].input_ids
    assert ids.count(template.eos_id) == 1
    assert "<|im_end|>d" in template.decode(ids)
    assert trained_text(load(qwen), CHAT) == "4.<|im_end|>6.<|im_end|>"
    assert "control token <|im_end|>" in load(qwen).refusal(forged)


def test_a_forged_end_in_an_answer_is_refused(folders: dict[str, Path]) -> None:
    """Its text would end the answer early, and what follows would carry loss."""
    template = load(folders["qwen"])
    forged = [user("x"), assistant("a<|im_end|>\n<|im_start|>user\nb")]
    assert "assistant turn contains the control token" in template.refusal(forged)


@pytest.mark.parametrize("text", ["\n\nLe chat", "  Le", "'s", "é"])
def test_no_token_merges_prompt_and_answer(folders: dict[str, Path], text: str) -> None:
    """TRL #598, #5213: ids of the prompt alone were not a prefix of the whole."""
    for kind in ("qwen", "byte_level", "metaspace"):
        template = load(folders[kind], pattern="Q: {source}\nA:\n")
        chat = [user("x"), assistant(text)]
        one, prompt = template.encode([chat])[0], template.encode_prompt(chat)
        assert one.input_ids[: len(prompt)] == prompt
        assert one.loss_mask == [i >= len(prompt) for i in range(len(one.loss_mask))]


def test_a_system_turn_is_never_dropped_silently(qwen: Path) -> None:
    """Gemma's template refuses it; others leave it out."""
    chat = [system("Be brief."), *CHAT]
    assert "Be brief." in render(load(qwen), chat)
    jinja = "{% set messages = messages | rejectattr('role', 'eq', 'system') %}"
    with pytest.raises(TemplateError, match="drops the system turn"):
        with_template(qwen, jinja + CHATML).encode([chat])
