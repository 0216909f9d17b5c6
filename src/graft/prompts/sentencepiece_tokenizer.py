"""Text ↔ ids by a sentencepiece model itself.

Conversions to tokenizer.json differ in newlines and indentation. Therefore a folder
that has only tokenizer.model is read without one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graft.errors import TemplateError
from graft.io import digest
from graft.prompts.token_bytes import TokenBytes, sentencepiece
from graft.records.ragged import RaggedIds


class SentencePieceTokenizer:
    """A tokenizer.model. Control tokens are never read from text.

    Args:
        bos: whether a document begins with BOS, if there is one.
    Raises: TemplateError if it has no end token.
    """

    byte_ids: frozenset[int] = frozenset()  # its bytes are read character by character

    def __init__(self, path: Path, *, bos: bool = True) -> None:
        from sentencepiece import SentencePieceProcessor

        pieces = SentencePieceProcessor(model_file=str(path))
        self._pieces: Any = pieces
        has_bos = bos and pieces.bos_id() >= 0
        self.bos_id: int | None = pieces.bos_id() if has_bos else None
        self.eos_id: int = pieces.eos_id()
        # Most models open each text with a space; Gemma's does not.
        self.opens_with_space = "▁" in "".join(pieces.encode("a", out_type=str))
        if self.eos_id < 0:
            raise TemplateError(
                str(path),
                "the tokenizer has no end token",
                expected="a sentencepiece model with an end-of-sentence piece",
                fix="use the tokenizer that the model was trained with",
            )
        self.pads: Sequence[int] = [
            i for i in (pieces.pad_id(), pieces.unk_id(), pieces.bos_id()) if i >= 0
        ]
        self.vocab_size: int = pieces.vocab_size()
        self.control: Mapping[str, int] = {
            pieces.id_to_piece(i): i
            for i in range(self.vocab_size)
            if pieces.is_control(i)
        }
        self.digest = digest(path.read_bytes())

    def encode(self, texts: Sequence[str], *, start: bool) -> RaggedIds:
        """Ids of each text, on all cores. SentencePiece does not distinguish the start
        of a document from later text: it puts a space before each."""
        del start
        return RaggedIds.of(self._pieces.encode(list(texts), num_threads=-1))

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens and the leading space."""
        del start
        return str(self._pieces.decode([i for i in ids if 0 <= i < self.vocab_size]))

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, with control tokens by name and each text's leading space."""
        shown, run = [], []
        for token in [*ids, self.eos_id]:
            if not self._pieces.is_control(token):
                run.append(token)
                continue
            if run:
                opening = self._pieces.id_to_piece(run[0]).startswith("▁")
                opening &= self.opens_with_space  # otherwise `decode` keeps the space
                shown.append(" " * opening + self.decode(run))
                run = []
            shown.append(self._pieces.id_to_piece(token))
        return "".join(shown[:-1])

    def token_bytes(self) -> TokenBytes:
        """What each token adds to a text."""
        pieces, control = self._pieces, set(self.control.values())
        return [
            (
                None
                if i in control or pieces.is_unknown(i) or pieces.is_unused(i)
                else sentencepiece(pieces.id_to_piece(i))
            )
            for i in range(self.vocab_size)
        ]
