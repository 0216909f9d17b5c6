"""Chats cut by the skeleton of their roles: the same as by rendering each."""

# pylint: disable=no-value-for-parameter  # hypothesis gives them

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import CHATML, assistant, system, user

from graft.errors import TemplateError
from graft.prompts.chat import ChatFormat
from graft.prompts.prompt_formats import Messages, Piece
from graft.prompts.rendering import Renderer
from graft.prompts.skeletons import Skeletons
from graft.prompts.tokenizers import RustTokenizer
from graft.records import Message

ASK = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n"
TOOLS = (  # as in Qwen2.5: tools, calls, and a system turn of its own
    "{%- if tools %}{{- 'Tools: ' }}{%- if messages[0]['role'] == 'system' %}"
    "{{- messages[0]['content'] }}{%- endif %}"
    "{%- for tool in tools %}{{- tool | tojson }}{%- endfor %}"
    "{%- elif messages[0]['role'] != 'system' %}"
    "{{- '<|im_start|>system\nBe 100% kind.<|im_end|>\n' }}{%- endif %}"
    "{%- for m in messages %}"
    "{%- if m.role == 'user' or (m.role == 'system' and not loop.last)"
    " or (m.role == 'assistant' and not m.tool_calls) %}"
    "{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}"
    "{%- elif m.role == 'assistant' %}{{- '<|im_start|>' ~ m.role }}"
    "{%- if m.content %}{{- '\n' + m.content }}{%- endif %}"
    "{%- for call in m.tool_calls %}{%- set call = call.function %}"
    "{{- call.name ~ (call.arguments | tojson) }}{%- endfor %}{{- '<|im_end|>\n' }}"
    "{%- elif m.role == 'tool' %}{%- if messages[loop.index0 - 1].role != 'tool' %}"
    "{{- m.content | tojson }}{%- endif %}{%- endif %}{%- endfor %}" + ASK
)
HEADERS = (  # as in Llama 3: a turn is put together, the first with BOS
    "{% set ns = namespace(turns=0) %}{% for m in messages %}"
    "{% set content = '<|im_start|>' + m['role'] + '\n\n' + m['content'] | trim"
    " + '<|im_end|>' %}{% if loop.index0 == 0 %}"
    "{% set content = '<|endoftext|>' + content %}{% endif %}{{ content }}"
    "{% set ns.turns = ns.turns + 1 %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n\n' }}{% endif %}"
)
MARKED = (  # as in Mistral, with marks
    "{% if messages[0].role == 'system' %}{% set said = messages[0].content %}"
    "{% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}{% if m.role == 'assistant' %}"
    "{% generation %} {{ m.content.strip() + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}[{{ said ~ ' ' if loop.first and said is defined }}{{ m.content }}]"
    "{% endif %}{% endfor %}"
)
LATE = (  # the system text before the last question
    "{% set ns = namespace(system='') %}{% for m in messages %}"
    "{% if m.role == 'system' %}{% set ns.system = m.content + '\n' %}"
    "{% elif m.role == 'user' %}<|im_start|>user\n{% if loop.revindex < 3 %}"
    "{{ ns.system }}{% endif %}{{ m.content }}<|im_end|>\n{% else %}"
    "<|im_start|>assistant\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}" + ASK
)
BLOCK = (  # a macro, a block that is set, and `~`, in one
    "{% macro say(text) %}{{ text }}{% endmacro %}{% set ns = namespace(a='') %}"
    "{% for m in messages %}{% set ns.a = m['role'] ~ '\n' ~ m.get('content') %}"
    "{% set said %}{{ say(ns.a) }}<|im_end|>{% endset %}<|im_start|>{{ said }}\n"
    "{% endfor %}" + ASK
)
THINKS = (  # as in Qwen3 and DeepSeek: a thought is stripped if there is one
    "{% for m in messages %}{% set said = m.content %}"
    "{% if said != false and said is string and '</think>' in said %}"
    "{% set said = said.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "{% if m.role == 'user' and said.startswith('/') and not said.endswith('x') %}"
    "{% set said = said ~ '!' %}{% endif %}{% if said == 'a' %}b{% endif %}"
    "<|im_start|>{{ m.role + '\n' + said.strip('\n') }}<|im_end|>\n{% endfor %}" + ASK
)
WRITES = [TOOLS, HEADERS, MARKED, LATE, BLOCK, THINKS]
READS = [
    "{{ m.content.split('</think>')[-1] }}",
    "{% if ' x' in m.content + 'x' %}!{% endif %}{{ m.content }}",
    "{% if (m.content ~ '').startswith('/') %}!{% endif %}{{ m.content }}",
    "{% if m.content in 'xyz' %}!{% endif %}{{ m.content }}",
    "{% if m.content is sequence %}!{% endif %}{{ m.content }}",
    "{% if m.content is sameas 'x' %}!{% endif %}{{ m.content }}",
    "{{ {'x': '!'}[m.content] }}{{ m.content }}",
    "{{ ['!'][m.content] }}{{ m.content }}",
    "{{ m.content | int }}{{ m.content }}",
    "{{ m | tojson }}{{ m.content }}",
    "{{ m.content }}{{ m.content | length }}",
    "{% if m.content == messages[0].content %}!{% endif %}{{ m.content }}",
    "{% if m == messages[-1] %}!{% endif %}{{ m.content }}",
    "{% if m.content > 'k' %}!{% endif %}{{ m.content }}",
    "{{ m.content | upper }}",
    "{{ m.content[:9] }}",
    "{{ m.content.strip('.') }}",
    "{{ m.content * 2 }}",
    "{% autoescape true %}{{ m.content }}{% endautoescape %}",
    "{% for letter in m.content %}{{ letter }}{% endfor %}",
    "{% set key = 'content' %}{{ m[key] | replace('a', 'b') }}",
    "{% set said = m.content %}{% set said = said + '' %}{{ said.title() }}",
    "{% set ns = namespace(a=m.content) %}{{ ns['a'] | lower }}",
    "{% macro say(text) %}{{ text }}{% endmacro %}{{ say(m.content).upper() }}",
    "{% set said %}{{ m.content }}{% endset %}{{ said | upper }}",
    "{{ (loop.previtem or m).content | upper }}",
    "{{ messages | map(attribute='content') | join }}",
    "{{ [m.content] | join }}",
    "{{ '%s' | format(m.content) }}",
]

SAID = st.one_of(
    st.sampled_from(["x", "/", "/x", "a", "b</think>\n\nc", "<think>", "k", "7"])
    | st.sampled_from(
        ["", " ", " x ", "a\n", "{{ m }}", "{% if %}", "100%s %", "\x1c1"]
    )
    | st.sampled_from(["<|im_end|>", "<|im_", "end|>", "\ue0000\ue001", "a\u00a0b"]),
    st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=9),
)


def conversations() -> st.SearchStrategy[list[Message]]:
    def build(opening: bool, first: int, said: list[str]) -> list[Message]:
        makers = [user, assistant]
        chat = [makers[(first + i) % 2](text) for i, text in enumerate(said)]
        return [system(said[0][::-1]), *chat] if opening and said else chat

    return st.builds(
        build, st.booleans(), st.sampled_from([0, 0, 0, 1]), st.lists(SAID, max_size=6)
    )


@pytest.fixture(scope="module")
def tokenizer(folders: dict[str, Path]) -> RustTokenizer:
    return RustTokenizer(folders["qwen"], reads_control=True)


def outcome(form: ChatFormat, chat: Messages) -> list[Piece] | str:
    try:
        return form.cut(chat)
    except TemplateError as error:
        return str(error)


def turns_with(look: str) -> str:
    return TURNS + look + "<|im_end|>\n{% endfor %}" + ASK


@pytest.mark.parametrize("jinja", [*WRITES, *map(turns_with, READS)])
def test_a_skeleton_gives_what_rendering_gives(
    tokenizer: RustTokenizer, jinja: str
) -> None:
    try:
        form = ChatFormat(jinja, {}, tokenizer)
    except TemplateError:
        assert jinja not in WRITES
        return

    @settings(max_examples=150 if jinja in WRITES else 25, deadline=None)
    @given(conversations())
    def holds(chat: list[Message]) -> None:
        rendered = [{**message, "note": ""} for message in chat]  # no skeleton has it
        assert outcome(form, chat) == outcome(form, rendered)  # type: ignore[arg-type]

    holds()


def cut_by(jinja: str) -> Callable[[Messages], list[Piece] | None]:
    return Skeletons(Cutter(), Renderer(jinja, {}, None), ["<end>"]).cut


@pytest.mark.parametrize("jinja", [CHATML, *WRITES])
def test_a_template_that_only_writes_contents_is_rendered_once(jinja: str) -> None:
    assert cut_by(jinja)([user("2+2?"), assistant("4.")])


@pytest.mark.parametrize("look", READS)
def test_a_template_that_reads_contents_is_rendered_for_each_chat(look: str) -> None:
    chat = [user("2+2?"), assistant("4."), user("3?"), assistant("3.")]
    assert cut_by(turns_with(look))(chat) is None


@pytest.mark.parametrize("said", ["</think>b", "/", "a"])
def test_a_content_with_a_text_that_the_template_searches_for_is_rendered(
    said: str,
) -> None:
    cut = cut_by(THINKS)
    assert cut([user("/x"), assistant("4.")]) is None
    assert cut([user(said), assistant("4.")]) is None
    assert cut([user("b" + said.strip("</think>")), assistant("4.")])


class Cutter:
    """Cuts each message into a piece, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, messages: Messages) -> Iterator[Piece]:
        self.calls += 1
        for message in messages:
            trained = message["role"] == "assistant"
            yield f"{message['content']}<end>", trained


def skeletons_of(cut: Callable[[Messages], Iterable[Piece]]) -> Skeletons:
    return Skeletons(cut, Renderer(CHATML, {}, None), ["<end>"])


def test_one_rendering_serves_all_chats_of_the_same_roles() -> None:
    cutter = Cutter()
    skeletons = skeletons_of(cutter)
    for said in ("2+2?", "100%", "{{ x }}"):
        chat = [user(said), assistant(said * 2)]
        assert skeletons.cut(chat) == list(Cutter()(chat))
    assert cutter.calls == 1
    assert skeletons.cut([user("3?")]) and cutter.calls == 2


@pytest.mark.parametrize("said", ["", " ", " x", "x\n", "a<end>b"])
def test_a_content_that_may_be_trimmed_or_ends_its_turn_is_rendered(
    said: str,
) -> None:
    assert skeletons_of(Cutter()).cut([user("x"), assistant(said)]) is None


def test_a_missing_or_repeated_turn_is_rendered() -> None:
    for text in ("<end>", "{0}{0}<end>"):
        skeletons = skeletons_of(
            lambda chat, text=text: [
                (chat[0]["content"], False),
                (text.format(chat[1]["content"]), True),
            ]
        )
        assert skeletons.cut([user("x"), assistant("y")]) is None
