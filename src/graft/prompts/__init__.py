"""Messages → text → ids and loss mask. Tokenize, generate, batch prediction, API and
demo load the one template of the project here."""

from pathlib import Path

from graft.config import ModelConfig, PromptConfig
from graft.errors import TemplateError
from graft.models.files import TOKENIZER_FILES, model_folder
from graft.prompts.chat import ChatFormat
from graft.prompts.mistral import MistralFormat, load_official
from graft.prompts.pattern import PatternFormat
from graft.prompts.sentencepiece_tokenizer import SentencePieceTokenizer
from graft.prompts.template import Template
from graft.prompts.tokenizer_files import adds_bos, read_object
from graft.prompts.tokenizers import RustTokenizer, Tokenizer

__all__ = ["Template", "load_template"]

_OFFICIAL = "mistral-common:"


def load_template(model: ModelConfig, prompt: PromptConfig) -> Template:
    """The template of a model and a task.

    Raises: TemplateError if the tokenizer or the chat template cannot be used safely;
        ConfigError or ModelError if there is none of that name.
    """
    chat = prompt.style == "chat"
    tokenizer: Tokenizer
    if model.tokenizer and model.tokenizer.startswith(_OFFICIAL):
        tokenizer = official = load_official(model.tokenizer.removeprefix(_OFFICIAL))
        if chat:
            return Template(MistralFormat(official), official, prompt.system)
    else:
        path = model.tokenizer or model.path
        folder = model_folder(path, model.revision, TOKENIZER_FILES)
        if chat:
            rust = RustTokenizer(folder, reads_control=True)
            jinja = chat_template(folder)
            chat_format = ChatFormat(jinja, rust.names, rust, prompt.today)
            return Template(chat_format, rust, prompt.system)
        if has_only_sentencepiece(folder):
            file, bos = folder / "tokenizer.model", adds_bos(folder)
            tokenizer = SentencePieceTokenizer(file, bos=bos)
        else:
            tokenizer = RustTokenizer(folder, reads_control=False)
    pattern = PatternFormat(prompt.pattern or "", tokenizer)
    return Template(pattern, tokenizer, prompt.system)


def has_only_sentencepiece(folder: Path) -> bool:
    """Whether a folder's only tokenizer file is a SentencePiece model."""
    there = [(folder / f"tokenizer.{end}").is_file() for end in ("json", "model")]
    return there == [False, True]


def chat_template(folder: Path) -> str:
    """The chat template of a model's folder. Raises: TemplateError if it has none."""
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        try:
            return jinja.read_text(encoding="utf-8")
        except ValueError as error:
            raise TemplateError(
                str(jinja), str(error), expected="text in UTF-8", fix="restore the file"
            ) from error
    found = None
    for name in ("chat_template.json", "tokenizer_config.json"):
        found = found or read_object(folder / name).get("chat_template")
    if isinstance(found, list):  # several, by name
        found = {item.get("name"): item.get("template") for item in found}
    if isinstance(found, dict):
        found = found.get("default")
    if not isinstance(found, str):
        raise TemplateError(
            str(folder),
            "the model has no chat template",
            expected="chat_template.jinja, or chat_template in tokenizer_config.json",
            fix="set prompt.style: pattern, or take the model's instruct version",
        )
    return found
