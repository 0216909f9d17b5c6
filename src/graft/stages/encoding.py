"""The work of stage `tokenize` on one batch, here or on another machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from graft.config import ModelConfig
from graft.data.tokenize.sequences import (
    SequenceSettings,
    TokenizedTable,
    to_sequences,
)
from graft.models.files import TOKENIZER_FILES, model_folder
from graft.prompts import load_template

FILES = (*TOKENIZER_FILES, "config.json")
"""What a tokenizer is loaded from; config.json may name its BOS and EOS."""


class Encoding:
    """Encodes tables of examples with a model's template.

    A machine of a cluster need not have the model: the tokenizer's files are pickled
    with the settings, and loaded from a temporary folder.

    Attributes:
        template: the template of the model and the prompt.
    """

    def __init__(self, model: ModelConfig, settings: SequenceSettings) -> None:
        self._model, self._settings = model, settings
        self.template = load_template(model, settings.prompt)

    def __call__(self, examples: pa.Table) -> TokenizedTable:
        """Sequences and rejects of a table of examples."""
        return to_sequences(examples, self.template, self._settings)

    def __reduce__(self) -> tuple[Callable[..., "Encoding"], tuple[object, ...]]:
        source = self._model.tokenizer or self._model.path
        if source.startswith("mistral-common:"):  # of an installed package
            return Encoding, (self._model, self._settings)
        folder = model_folder(source, self._model.revision, FILES)
        found = {path for pattern in FILES for path in folder.glob(pattern)}
        files = {path.name: path.read_bytes() for path in found if path.is_file()}
        return _restore, (files, self._model, self._settings)


def _restore(
    files: Mapping[str, bytes], model: ModelConfig, settings: SequenceSettings
) -> Encoding:
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        here = model.model_copy(update={"path": folder, "tokenizer": None})
        return Encoding(here, settings)
