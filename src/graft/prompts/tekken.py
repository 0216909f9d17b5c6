"""Text ↔ ids by Tekken, Mistral's byte-level tokenizer, from mistral-common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graft.io import digest
from graft.records.ragged import RaggedIds


class TekkenTokenizer:
    """An official Tekken model. Control tokens are never read from text.

    Args:
        instruct: the official chat format, which contains the tokenizer.
    """

    opens_with_space = False
    byte_ids: frozenset[int] = frozenset()

    def __init__(self, instruct: Any) -> None:
        self.instruct = instruct
        self._official = official = instruct.tokenizer
        self.bos_id: int | None = official.bos_id
        self.eos_id: int = official.eos_id
        self.pads: Sequence[int] = [official.pad_id, official.unk_id]
        self.control: Mapping[str, int] = {
            official.id_to_piece(number): number for number in official.special_ids
        }
        self.vocab_size: int = official.n_words
        self.digest = digest(Path(official.file_path).read_bytes())

    def encode(self, texts: Sequence[str], *, start: bool) -> RaggedIds:
        """Ids of each text; they do not depend on what precedes it."""
        del start
        return RaggedIds.of(
            [self._official.encode(t, bos=False, eos=False) for t in texts]
        )

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens."""
        del start
        return str(self._official.decode([i for i in ids if 0 <= i < self.vocab_size]))

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens by name."""
        from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy

        return str(self._official.decode(list(ids), SpecialTokenPolicy.KEEP))
