"""Conventions of well-known chat template families, each in a short template."""

import json
import shutil
from pathlib import Path

import pytest
from small_tokenizers import (
    CHATML,
    assistant,
    load,
    render,
    system,
    trained_text,
    user,
    with_template,
)
from tokenizers import Tokenizer

from graft.data.tokenize.masks import find_mask_errors
from graft.errors import TemplateError

THOUGHT = "<think>\nhm\n</think>\n\n"
CHAT = [user("2+2?"), assistant("4."), user("And 3+3?"), assistant("6.")]
THINKING = [*CHAT[:3], assistant(THOUGHT + "6.")]
BRACKETS = (  # as in Llama 2: BOS before each question, spaces around answers
    "{% for m in messages %}{% if m.role == 'user' %}"
    "{{ bos_token + '[INST] ' + m.content.strip() + ' [/INST]' }}{% else %}"
    "{{ ' ' + m.content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
LINES = (  # as in Zephyr: EOS after each turn, asked within the loop
    "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + eos_token + '\n' }}"
    "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
    "{% endfor %}"
)
# As in Qwen3 for thinking alone: asked to think, shown only in the last answer.
ASKED_TO_THINK = (
    "{% for m in messages %}{% set said = m.content.split('</think>')[-1].strip() %}"
    "<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' and loop.last %}"
    "<think>\n{{ m.content.split('</think>')[0].replace('<think>', '').strip('\n') if "
    "'</think>' in m.content else '' }}\n</think>\n\n{% endif %}"
    "{{ said }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
NEVER_THINKS = (  # as in DeepSeek-V3: thinking is stripped from every answer
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{{ m.content.split('</think>')[-1] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OPENED = CHATML.replace(  # as in Command R7B: a control token opens the answer
    "{{ m.content }}",
    "{% if m.role == 'assistant' %}<|endoftext|>{% endif %}{{ m.content }}",
)


def make(root: Path, folder: Path, jinja: str) -> Path:
    """A model's folder with this chat template."""
    path = Path(shutil.copytree(folder, root / "m"))
    (path / "chat_template.jinja").write_text(jinja)
    return path


@pytest.mark.parametrize("kind", ["metaspace", "prepending", "byte_level"])
@pytest.mark.parametrize(("jinja", "space"), [(BRACKETS, " "), (LINES, "")])
def test_a_chat_has_the_ids_that_the_tokenizer_gives_its_whole_text(
    folders: dict[str, Path], tmp_path: Path, kind: str, jinja: str, space: str
) -> None:
    folder = make(tmp_path, folders[kind], jinja)
    template = load(folder)
    ids = template.encode([CHAT])[0].input_ids
    if jinja is BRACKETS:
        text = "<s>[INST] 2+2? [/INST] 4. </s><s>[INST] And 3+3? [/INST] 6. </s>"
    else:
        text = "<|user|>\n2+2?</s>\n<|assistant|>\n4.</s>\n"
        text += "<|user|>\nAnd 3+3?</s>\n<|assistant|>\n6.</s>"
    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert ids == own.encode(text, add_special_tokens=False).ids
    assert trained_text(template, CHAT) == f"{space}4.{space}</s>{space}6.{space}</s>"
    prompt = template.encode_prompt(CHAT)
    assert ids[: len(prompt)] == prompt


def test_a_prompt_that_opens_reasoning_precedes_it_in_training(qwen: Path) -> None:
    template = with_template(qwen, ASKED_TO_THINK)
    assert trained_text(template, THINKING) == "hm\n</think>\n\n6.<|im_end|>"
    assert trained_text(template, CHAT) == "\n</think>\n\n6.<|im_end|>"
    for chat in (CHAT, THINKING):
        tokens = template.to_tokens([chat])
        prompt = template.encode_prompt(chat)
        assert tokens.row(0).input_ids[: len(prompt)] == prompt
        assert template.show(prompt).endswith("<think>\n")
        assert not find_mask_errors(tokens, template.stop_ids)


def test_an_answer_may_contain_reasoning_tags_that_the_template_writes(
    qwen: Path,
) -> None:
    content = json.loads((qwen / "tokenizer.json").read_text())
    rest = {"special": False, "single_word": False, "lstrip": False, "rstrip": False}
    for number, mark in enumerate(["<think>", "</think>"], 400):
        token = {"id": number, "content": mark, "normalized": False} | rest
        content["added_tokens"].append(token)
    (qwen / "tokenizer.json").write_text(json.dumps(content))
    template = with_template(qwen, ASKED_TO_THINK)
    assert not template.refusal(THINKING)
    assert trained_text(template, THINKING) == "hm\n</think>\n\n6.<|im_end|>"


def test_an_answer_whose_reasoning_is_always_stripped_carries_no_loss(
    qwen: Path,
) -> None:
    template = with_template(qwen, NEVER_THINKS)
    chat = [user("2+2?"), assistant(THOUGHT + "4."), *CHAT[2:]]
    assert trained_text(template, chat) == "6.<|im_end|>"
    with pytest.raises(TemplateError, match="drops the thinking of the last answer"):
        template.encode([THINKING])


def test_an_answer_may_open_with_a_control_token(qwen: Path) -> None:
    template = with_template(qwen, OPENED)
    assert trained_text(template, CHAT) == (
        "<|endoftext|>4.<|im_end|><|endoftext|>6.<|im_end|>"
    )


def test_a_control_token_that_only_the_last_answer_ends_in_is_refused(
    qwen: Path,
) -> None:
    other = "m.role == 'assistant' and not loop.last"
    end = "{{ '<|endoftext|>' if " + other + " else '<|im_end|>' }}"
    jinja = OPENED.replace("<|im_end|>", end)
    with pytest.raises(TemplateError, match="ends an answer otherwise"):
        with_template(qwen, jinja)


@pytest.mark.parametrize(
    "jinja",
    [
        "{% if messages[0].role == 'system' %}{% endif %}" + CHATML,
        LINES,
        "{% for m in messages %}{% if loop.first and m.role != 'system' %}"
        "<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
        + CHATML.removeprefix("{% for m in messages %}"),
    ],
)
def test_an_answer_that_opens_the_chat_carries_loss_correctly_or_is_refused(
    qwen: Path, jinja: str
) -> None:
    template = with_template(qwen, jinja)
    chat = [assistant("Hello."), *CHAT]
    with pytest.raises(TemplateError, match="cannot prompt for an answer that opens"):
        template.encode([chat])
    assert trained_text(with_template(qwen, CHATML), chat).startswith(
        "Hello.<|im_end|>"
    )


def test_a_system_turn_may_stand_in_the_first_question(qwen: Path) -> None:
    """As in Gemma 3's template."""
    jinja = (
        "{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n'"
        " %}{% set turns = messages[1:] %}{% else %}{% set first = '' %}"
        "{% set turns = messages %}{% endif %}{% for m in turns %}<|im_start|>"
        "{{ 'model' if m.role == 'assistant' else m.role }}\n{{ first if loop.first }}"
        "{{ m.content | trim }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
    )
    template = with_template(qwen, jinja)
    chat = [system("Be brief."), *CHAT]
    assert trained_text(template, chat) == "4.<|im_end|>6.<|im_end|>"
    assert "user\nBe brief.\n2+2?" in render(template, chat)
