"""Text ↔ ids: the model's own tokenizer.json, run by the Rust library.

Transformers' tokenizer classes are not used: they take seconds to import, and some
rebuild the tokenizer from its vocabulary, which does not always give the same ids.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from graft.errors import TemplateError
from graft.io import digest
from graft.prompts.token_bytes import TokenBytes, by_id, byte_level, sentencepiece
from graft.prompts.tokenizer_files import adds_bos, read_object, special_names
from graft.records.ragged import RaggedIds

_AT_ONCE = 4096  # texts


class Tokenizer(Protocol):
    """What a template needs of a tokenizer.

    `control` maps the text of each control token to its id. `pads` are ids for
    padding, best first. `vocab_size` is greater than every id of text; control tokens
    may have higher ones. `opens_with_space`: whether every text is encoded as if
    a space stood before it, which `decode` removes. `byte_ids` are tokens of single
    bytes that `decode` reads run by run: a run that is not UTF-8 has no character.
    """

    bos_id: int | None
    eos_id: int
    pads: Sequence[int]
    control: Mapping[str, int]
    vocab_size: int
    digest: str
    opens_with_space: bool
    byte_ids: frozenset[int]

    def encode(self, texts: Sequence[str], *, start: bool) -> RaggedIds:
        """Ids of each text. `start`: it opens a document; else it continues one."""

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids without control tokens. `start`: they open a document;
        otherwise they continue a prompt."""

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, with control tokens by name."""

    def token_bytes(self) -> TokenBytes:
        """What each token adds to a text. Raises: TemplateError if that depends on
        other tokens."""


class RustTokenizer:
    """A tokenizer.json, with the special tokens that tokenizer_config.json names.

    Where that names none, BOS and EOS are those of config.json.

    Args:
        folder: the model's folder.
        reads_control: whether the name of a control token in a text is encoded as that
            token (chat templates write them) or as plain text.
    Raises: TemplateError if a file is missing or names no end token.
    """

    opens_with_space = False

    def __init__(self, folder: Path, *, reads_control: bool) -> None:
        from tokenizers import Tokenizer as Rust

        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise TemplateError(
                str(folder),
                "no tokenizer.json here",
                expected="the fast tokenizer's file",
                fix="for a Mistral model set model.tokenizer: mistral-common:v3; for "
                "others save the tokenizer with transformers (save_pretrained)",
            )
        named = special_names(folder)
        content = {**read_object(path), "truncation": None, "padding": None}
        for token in content.get("added_tokens", []):  # as in transformers
            token["special"] |= token["content"] in named.values()
        going_on = _without_leading_space(content)
        try:
            self._start = Rust.from_str(json.dumps(content))
            same = going_on == content
            self._going_on = (
                self._start if same else Rust.from_str(json.dumps(going_on))
            )
        # The library raises bare exceptions.
        except Exception as error:  # pylint: disable=broad-exception-caught
            raise TemplateError(
                str(path),
                f"is not a tokenizer: {error}",
                expected="the fast tokenizer's file, as the model's owner saved it",
                fix="restore it, or save the tokenizer anew with transformers",
            ) from error
        self._both = (self._start, self._going_on)
        for rust in self._both:
            rust.encode_special_tokens = not reads_control
        others = {} if "eos_token" in named else self._config_names(folder)
        if named:  # a tokenizer that names no BOS has none
            others.pop("bos_token", None)
        self.names = others | named
        added = self._start.get_added_tokens_decoder()
        self.control: Mapping[str, int] = {
            token.content: number for number, token in added.items() if token.special
        }
        self.added: Sequence[str] = [token.content for token in added.values()]
        self.bos_id: int | None = self._id("bos_token") if adds_bos(folder) else None
        end = self._id("eos_token")
        if end is None:
            raise TemplateError(
                str(folder),
                "the tokenizer has no end token",
                expected="eos_token in tokenizer_config.json that tokenizer.json has",
                fix="name it there",
            )
        self.eos_id: int = end
        pads = [self._id(name) for name in ("pad_token", "unk_token", "bos_token")]
        self.pads: Sequence[int] = [
            i for i in (*pads, *self.control.values()) if i is not None
        ]
        plain = [number for number, token in added.items() if not token.special]
        own = self._start.get_vocab(with_added_tokens=False).values()
        self.vocab_size = 1 + max([*own, *plain], default=-1)
        self.digest: str = digest(content)
        self.byte_ids = self._fallback_bytes(content)

    def _fallback_bytes(self, content: Mapping[str, Any]) -> frozenset[int]:
        if "ByteFallback" not in json.dumps(content.get("decoder")):
            return frozenset()
        names = (f"<0x{byte:02X}>" for byte in range(256))
        ids = map(self._start.token_to_id, names)
        return frozenset(number for number in ids if number is not None)

    @cached_property
    def opens_anew(self) -> bool:
        """Whether a text after a control token begins like a document, with a space, as
        in conversions of Llama's and Mistral's first tokenizers."""
        text = f"{self._start.id_to_token(self.eos_id)}a"
        after = [r.encode(text, add_special_tokens=False).ids for r in self._both]
        return bool(after[0] != after[1])

    def _config_names(self, folder: Path) -> dict[str, str]:
        """BOS and EOS as config.json numbers them; of several the first."""
        values = read_object(folder / "config.json")
        values = {**values.get("text_config", {}), **values}  # of a multimodal model
        names = {}
        for name in ("bos_token", "eos_token"):
            ids = values.get(f"{name}_id")
            first = ids[0] if isinstance(ids, list) and ids else ids
            if isinstance(first, int) and first is not True and first >= 0:
                names[name] = self._start.id_to_token(first)
        return {name: token for name, token in names.items() if token is not None}

    def _id(self, name: str) -> int | None:
        token = self.names.get(name)
        number = None if token is None else self._start.token_to_id(token)
        return None if number is None else int(number)

    def encode(self, texts: Sequence[str], *, start: bool) -> RaggedIds:
        """Ids of each text, on all cores. The library returns Python lists: those of
        one part are copied while it encodes the next."""
        rust = self._start if start else self._going_on

        def encode(at: int) -> list[Any]:
            part = list(texts[at : at + _AT_ONCE])
            return list(rust.encode_batch_fast(part, add_special_tokens=False))

        if len(texts) <= _AT_ONCE:
            return RaggedIds.of([encoding.ids for encoding in encode(0)])
        parts = []
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(encode, 0)
            for at in range(0, len(texts), _AT_ONCE):
                found = coming.result()
                coming = ahead.submit(encode, at + _AT_ONCE)
                parts.append(RaggedIds.of([encoding.ids for encoding in found]))
        return RaggedIds.join(parts)

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens."""
        rust = self._start if start else self._going_on
        return str(rust.decode(list(ids), skip_special_tokens=True))

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, with control tokens by name."""
        return str(self._going_on.decode(list(ids), skip_special_tokens=False))

    def token_bytes(self) -> TokenBytes:
        """What each token adds to a text. Raises: TemplateError if that depends on
        other tokens, as for word pieces."""
        decoder = json.loads(self._going_on.to_str())["decoder"]
        names = json.dumps(decoder, ensure_ascii=False)
        if "ByteLevel" in names:
            to_bytes: Callable[[str], bytes | None] = byte_level
        elif "▁" in names or "ByteFallback" in names:
            to_bytes = sentencepiece
        else:
            raise TemplateError(
                "the tokenizer",
                f"has a decoder of another kind: {names[:80]}",
                expected="byte-level tokens, or those of SentencePiece",
                fix="omit response_format",
            )
        vocabulary = self._start.get_vocab(with_added_tokens=False)
        found = {number: to_bytes(piece) for piece, number in vocabulary.items()}
        for number, token in self._start.get_added_tokens_decoder().items():
            found[number] = None if token.special else token.content.encode()
        return by_id(found)


def _without_leading_space(part: Any) -> Any:
    """A tokenizer.json that adds no space before a text and removes none from ids.

    Otherwise SentencePiece's leading space would stand between a prompt and the text
    that continues it.
    """
    if isinstance(part, list):
        return [_without_leading_space(item) for item in part]
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    changes: dict[str, Any] = {}
    if kind in ("Metaspace", "ByteLevel"):
        changes = {"add_prefix_space": False, "prepend_scheme": "never"}
    elif kind == "Strip" and part.get("content") == " ":
        changes = {"start": 0}
    elif kind == "Prepend":
        return {"type": "Sequence", "normalizers": []}
    whole = {key: _without_leading_space(value) for key, value in part.items()}
    return whole | {key: changes[key] for key in changes.keys() & whole.keys()}
