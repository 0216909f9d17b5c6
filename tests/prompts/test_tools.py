"""Chats with tools, reasoning and loss weights, as chat templates write them."""

import json
from pathlib import Path
from typing import Any

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

from graft.errors import TemplateError
from graft.records import Message

ASK = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TOOLS = (  # much as in Qwen2.5
    "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n"
    "{% endfor %}<|im_end|>\n{% endif %}{% for m in messages %}"
    "{% if m.role == 'tool' %}{% if loop.first or messages[loop.index0 - 1].role != "
    "'tool' %}<|im_start|>user{% endif %}\n<result>{{ m.content }}</result>"
    "{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}<|im_end|>\n"
    "{% endif %}{% else %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for call in m.tool_calls or [] %}<call>{{ call.function | tojson }}</call>"
    "{% endfor %}<|im_end|>\n{% endif %}{% endfor %}" + ASK
)
OPENED = TOOLS.replace("<call>", "<|endoftext|><call>")  # by a control token
KEYED = CHATML.replace(
    "{{ m.content }}",
    "{% if m.reasoning_content %}<r>{{ m.reasoning_content }}</r>{% endif %}"
    "{{ m.content }}",
)
CALLS = [{"id": "a1b2c3d4e", "name": "weather", "arguments": {"city": "Lyon"}}]
OFFER: Any = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]


def offered() -> Message:
    return Message(role="tools", content=json.dumps(OFFER))


def calls() -> Message:
    return Message(role="tool_calls", content=json.dumps(CALLS))


def result(content: str = "dry") -> Message:
    return Message(role="tool", content=content)


CHAT = [
    offered(),
    user("Rain?"),
    assistant("I look."),
    calls(),
    result('it is "dry"'),
    assistant("No."),
    user("Sure?"),
    assistant("Yes."),
]


@pytest.mark.parametrize("jinja", [TOOLS, OPENED])
def test_tool_calls_carry_loss_with_their_text_and_results_do_not(
    qwen: Path, jinja: str
) -> None:
    template = with_template(qwen, jinja)
    opens = "<|endoftext|>" if jinja is OPENED else ""
    call = '{"name": "weather", "arguments": {"city": "Lyon"}}'
    assert trained_text(template, CHAT) == (
        f"I look.{opens}<call>{call}</call><|im_end|>No.<|im_end|>Yes.<|im_end|>"
    )
    shown = render(template, CHAT)
    assert json.dumps(OFFER[0]) in shown and '<result>it is "dry"</result>' in shown


@pytest.mark.parametrize("upto", [4, 6, 8])
def test_the_prompt_of_an_answer_is_a_prefix_of_the_training_sequence(
    qwen: Path, upto: int
) -> None:
    template = with_template(qwen, TOOLS)
    prompt, one = template.encode_prompt(CHAT[:upto]), template.encode([CHAT[:upto]])[0]
    assert one.input_ids[: len(prompt)] == prompt
    assert all(one.loss_mask[len(prompt) :]) and not one.loss_mask[len(prompt) - 1]


@pytest.mark.parametrize(
    ("drop", "problem"),
    [
        ("{{ tool | tojson }}", "drops the tools"),
        ("{{ call.function | tojson }}", "drops calls of tools"),
        ("{{ call.function.name }}", "drops calls of tools"),
        ("<result>{{ m.content }}</result>", "drops or rewrites a tool turn"),
    ],
)
def test_a_template_that_drops_tool_results_is_refused_by_name(
    qwen: Path, drop: str, problem: str
) -> None:
    jinja = TOOLS.replace(drop, "")
    if drop not in TOOLS:
        jinja = TOOLS.replace("{{ call.function | tojson }}", drop)
    template = with_template(qwen, jinja)
    assert template.encode([[user("a"), assistant("b")]])
    with pytest.raises(TemplateError, match=problem):
        template.encode([CHAT])


def test_a_template_and_a_pattern_without_tools_refuse_them(qwen: Path) -> None:
    with pytest.raises(TemplateError, match="drops the tools"):
        load(qwen).encode([CHAT])
    with pytest.raises(TemplateError, match="drops calls of tools"):
        load(qwen).encode([CHAT[1:4]])
    with pytest.raises(TemplateError, match="has tools, and no place"):
        load(qwen, pattern="Q: {source}\nA:").encode([CHAT])


def test_reasoning_goes_to_the_key_that_a_template_reads(qwen: Path) -> None:
    chat = [user("2+2?"), assistant("<think>\neasy\n</think>\n\n4.")]
    assert trained_text(with_template(qwen, KEYED), chat) == "<r>easy</r>4.<|im_end|>"
    assert trained_text(with_template(qwen, CHATML), chat).startswith("<think>\neasy\n")
    plain = [user("2+2?"), assistant("4.")]
    assert trained_text(with_template(qwen, KEYED), plain) == "4.<|im_end|>"


@pytest.mark.parametrize("style", ["chat", "pattern", "official"])
def test_an_answer_excluded_from_loss_is_still_in_the_ids(
    qwen: Path, style: str
) -> None:
    if style == "official":
        template = load("mistral-common:v3")
    else:
        pattern = "Q: {source}\nA:" if style == "pattern" else None
        template = load(qwen, pattern=pattern)
    chat = [user("a"), assistant("BAD"), user("b"), assistant("good")]
    chat[1]["learn"] = False
    whole = [message.copy() for message in chat]
    del whole[1]["learn"]
    assert template.encode([chat])[0].input_ids == template.encode([whole])[0].input_ids
    assert "BAD" not in trained_text(template, chat) and "good" in trained_text(
        template, chat
    )
    assert "BAD" in trained_text(template, whole)


@pytest.mark.parametrize("version", ["v2", "v3", "v7"])
def test_mistrals_tools_have_the_official_ids(version: str) -> None:
    from mistral_common.protocol.instruct.request import ChatCompletionRequest
    from mistral_common.protocol.instruct.validator import ValidationMode
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    path = getattr(MistralTokenizer, version)().instruct_tokenizer.tokenizer.file_path
    official = MistralTokenizer.from_file(str(path), mode=ValidationMode.agnostic)
    call = {"name": "weather", "arguments": '{"city": "Lyon"}'}
    theirs: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Rain?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "a1b2c3d4e", "type": "function", "function": call}],
        },
        {
            "role": "tool",
            "name": "weather",
            "tool_call_id": "a1b2c3d4e",
            "content": "dry",
        },
        {"role": "assistant", "content": "No."},
    ]
    chat = [system("Be brief."), user("Rain?"), calls(), result(), assistant("No.")]
    template = load(f"mistral-common:{version}")
    for upto in (3, 5):
        request = ChatCompletionRequest(messages=theirs[:upto], tools=OFFER)
        expected = official.encode_chat_completion(request).tokens
        ours = template.encode([[offered(), *chat[:upto]]])[0]
        assert ours.input_ids == list(expected)
        prompt = template.encode_prompt([offered(), *chat[:upto]])
        assert ours.input_ids[: len(prompt)] == prompt and ours.loss_mask[len(prompt)]


@pytest.mark.parametrize(
    ("version", "problem"), [("v1", "not implemented"), ("v2", "drops earlier")]
)
def test_a_version_that_cannot_keep_tools_refuses_them(
    version: str, problem: str
) -> None:
    chat = [user("a"), calls(), result(), assistant("b"), user("c"), assistant("d")]
    with pytest.raises(TemplateError, match=problem):
        load(f"mistral-common:{version}").encode([chat])


@pytest.mark.parametrize(
    "chat",
    [
        [user("a"), result(), assistant("b")],
        [user("a"), calls(), user("b"), assistant("c")],
        [user("a"), calls(), result(), user("b"), assistant("c")],
        [user("a"), offered(), assistant("c")],
    ],
)
def test_results_without_calls_are_out_of_order(
    qwen: Path, chat: list[Message]
) -> None:
    assert with_template(qwen, TOOLS).refusal(chat)


def test_calls_that_cleaning_broke_are_refused(qwen: Path) -> None:
    broken = Message(role="tool_calls", content='[{"name": [PHONE]}]')
    with pytest.raises(TemplateError, match="tool_calls are not JSON"):
        with_template(qwen, TOOLS).encode([[user("a"), broken]])


def test_tool_calls_whose_empty_reasoning_is_stripped_later_carry_no_loss(
    qwen: Path,
) -> None:
    """As in Qwen3's: the last answer gets an empty reasoning block, others none."""
    thought = "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n"
    jinja = TOOLS.replace(
        "{{ m.content }}{% for", thought + "{% endif %}{{ m.content }}{% for"
    )
    template = with_template(qwen, jinja)
    opened = "<think>\n\n</think>\n\n"
    call = '<call>{"name": "weather", "arguments": {"city": "Lyon"}}</call>'
    chat = [offered(), user("Rain?"), calls(), result(), assistant("No.")]
    assert trained_text(template, chat) == f"{opened}No.<|im_end|>"
    assert call in render(template, chat)
    assert trained_text(template, chat[:3]) == f"{opened}{call}<|im_end|>"
