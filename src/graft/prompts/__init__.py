"""Messages → text → ids and the mask of what is learned. One template for the whole
project: tokenize, evaluate, batch, API and demo ask for it here."""

from pathlib import Path

from graft.config import ModelConfig, PromptConfig
from graft.errors import TemplateError
from graft.models.files import TOKENIZER_FILES, model_folder
from graft.prompts.chat import ChatForm
from graft.prompts.forms import Form
from graft.prompts.mistral import MistralForm, load_official
from graft.prompts.pattern import PatternForm
from graft.prompts.pieces import PieceTokenizer
from graft.prompts.template import Template
from graft.prompts.tokenizers import RustTokenizer, Tokenizer, adds_bos, read_object

__all__ = ["Template", "load_template"]

_OFFICIAL = "mistral-common:"


def load_template(model: ModelConfig, prompt: PromptConfig) -> Template:
    """The template of a model and a task.

    Raises: TemplateError if the tokenizer or the chat template cannot be used soundly;
        ConfigError or ModelError if there is none of that name.
    """
    chat = prompt.style == "chat"
    pattern = prompt.pattern or ""
    tokenizer: Tokenizer
    form: Form
    if model.tokenizer and model.tokenizer.startswith(_OFFICIAL):
        version = model.tokenizer.removeprefix(_OFFICIAL)
        tokenizer = official = load_official(version)
        form = MistralForm(official) if chat else PatternForm(pattern, official)
    else:
        path = model.tokenizer or model.path
        folder = model_folder(path, model.revision, TOKENIZER_FILES)
        if not chat and only_pieces(folder):
            bos = adds_bos(folder)
            tokenizer = PieceTokenizer(folder / "tokenizer.model", bos=bos)
            return Template(PatternForm(pattern, tokenizer), tokenizer, prompt.system)
        tokenizer = rust = RustTokenizer(folder, reads_control=chat)
        if chat:
            form = ChatForm(chat_template(folder), rust.names, rust, prompt.today)
        else:
            form = PatternForm(pattern, rust)
    return Template(form, tokenizer, prompt.system)


def only_pieces(folder: Path) -> bool:
    """Whether a folder's tokenizer is a sentencepiece model and nothing else."""
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
            fix="set task.prompt.style: pattern, or take the model's instruct version",
        )
    return found
