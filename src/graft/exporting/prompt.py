"""Exporting the prompt: tokenizer files with a chat template that gives the prompts of
training."""

import json
import re
import shutil
from pathlib import Path

from graft import io
from graft.config import ModelConfig, PromptConfig
from graft.models.files import TOKENIZER_FILES, model_folder
from graft.prompts.rendering import with_date
from graft.prompts.template import Template
from graft.prompts.tokenizer_files import adds_bos
from graft.records import Message

CHAT_TEMPLATE = "chat_template.jinja"
_OFFICIAL = "mistral-common:"
_PLACE = re.compile(r"\{(source|system)\}")
_PROBES = ("Où est-elle ?\n\t2+2 = 4", "It is late.", " x")
_CONFIGURED = (
    "{%- set messages = messages if messages and messages[0]['role'] == 'system' "
    "else [{'role': 'system', 'content': SYSTEM}] + messages -%}\n"
)
_PATTERN = """\
{%- set turn = namespace(asked='', system='') -%}
{{- BEGIN -}}
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}
TAKE_SYSTEM
{%- elif message['role'] == 'user' -%}
{%- set turn.asked = ASKED -%}
{{- turn.asked -}}
{%- else -%}
{{- (SEPARATOR if turn.asked else '') ~ message['content'] ~ eos_token -}}
{%- set turn.asked = '' -%}
{%- endif -%}
{%- endfor -%}
"""


def write_prompt(
    model: ModelConfig, prompt: PromptConfig, template: Template, folder: Path
) -> str:
    """Copy the tokenizer's files and write the chat template that this prompt needs.

    Args:
        model: whose tokenizer is exported; for mistral-common, the model's own files.
        prompt: of training.
        template: the same, loaded.
        folder: an existing folder.
    Returns: how the token ids of prompts from these files differ from those of
        training; empty if they do not.
    """
    named = model.tokenizer
    path = named if named and not named.startswith(_OFFICIAL) else model.path
    source = model_folder(path, model.revision, TOKENIZER_FILES)
    for pattern in TOKENIZER_FILES:
        for file in source.glob(pattern):
            shutil.copyfile(file, folder / file.name)
    _write_chat_template(prompt, folder)
    return difference(template, prompt, folder)


def _write_chat_template(prompt: PromptConfig, folder: Path) -> None:
    """The model's own chat template is kept if training used it."""
    config, jinja = folder / "tokenizer_config.json", folder / CHAT_TEMPLATE
    values = io.read_json(config) if config.is_file() else {}
    text: str | None
    if prompt.style == "pattern":
        text = to_chat_template(prompt.pattern or "", bos=adds_bos(folder))
    else:
        own = values.get("chat_template")
        text = jinja.read_text(encoding="utf-8") if jinja.is_file() else own
    if not isinstance(text, str):  # several by name, or none
        return
    if prompt.style == "chat":
        text = with_date(text, prompt.today)
    if prompt.system is not None:
        text = _CONFIGURED.replace("SYSTEM", _quote(prompt.system)) + text
    io.write_text(jinja, text)
    if values.pop("chat_template", None) is not None:
        io.write_json(config, values)


def to_chat_template(pattern: str, *, bos: bool = True) -> str:
    """A prompt pattern as a Jinja chat template. `bos`: begin with the BOS token."""
    parts = _PLACE.split(pattern)
    names = {"source": "message['content']", "system": "turn.system"}
    written = [
        names[part] if place % 2 else _quote(part)
        for place, part in enumerate(parts)
        if part
    ]
    takes = (
        "{%- set turn.system = message['content'] -%}"
        if "{system}" in pattern
        else "{{- raise_exception('system turns are not supported') -}}"
    )
    return (
        _PATTERN.replace("TAKE_SYSTEM", takes)
        .replace("BEGIN", "bos_token" if bos else "''")
        .replace("SEPARATOR", "''" if pattern.endswith("\n") else "' '")
        .replace("ASKED", " ~ ".join(written))
    )


def _quote(text: str) -> str:
    """A Jinja string literal, which supports JSON's escapes."""
    return json.dumps(text, ensure_ascii=False)


def difference(template: Template, prompt: PromptConfig, folder: Path) -> str:
    """How prompts from a folder differ from those of training; empty if they do not."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        for probe in _PROBES:
            messages = [Message(role="user", content=probe)]
            if "{system}" in (prompt.pattern or "") and prompt.system is None:
                messages.insert(0, Message(role="system", content="Be brief."))
            found = tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_dict=False
            )
            if list(found) != (expected := template.encode_prompt(messages)):
                return f"{probe!r} is {list(found)}, in training {expected}"
    # Tokenizers raise errors of several libraries.
    except Exception as error:  # pylint: disable=broad-exception-caught
        return f"transformers fails: {str(error).strip().splitlines()[:1]}"
    return ""
