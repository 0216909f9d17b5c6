"""The tiny base model's text as token ids, made in parallel and checked."""

import json
import multiprocessing
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .bilingual import glossary, phrase_book
from .documents import document
from .subwords import EOS

DOCUMENTS_PER_SHARD = 2_000
# Where one sentence of a document ends, or what stands before it on its line.
_PIECES = re.compile(r"(?<=[.?!])\s+|\n+|[|\"()*/>#]+| -> | ?: |(?m:^- )")
_PROMPT = re.compile(r"\b(English|French) ?:")


def texts(
    seed: int, shard: int, count: int, glossaries: float, phrase_books: float
) -> Iterator[str]:
    """Documents of one shard; the shares are of documents that hold both languages."""
    rng = Random(f"{seed}/{shard}")
    for _ in range(count):
        kind = rng.random()
        if kind < glossaries:
            yield glossary(rng)
        elif kind < glossaries + phrase_books:
            yield phrase_book(rng)
        else:
            yield document(rng)


@lru_cache(maxsize=1)
def test_sentences(path: Path) -> frozenset[str]:
    """Both sides of every test row."""
    found: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.endswith('"split":"test"}'):
            row = json.loads(line)
            found |= {row["en"], row["fr"]}
    return frozenset(found)


def check(text: str, forbidden: frozenset[str]) -> None:
    """Refuses a test sentence and the labels of the translation prompt.

    Raises: ValueError with the text that was found.
    """
    found = forbidden.intersection(piece.strip() for piece in _PIECES.split(text))
    if found:
        raise ValueError(f"a test sentence in the text of the base model: {found}")
    if _PROMPT.search(text):
        raise ValueError(
            f"the prompt of the task in the text of the base model: {text}"
        )


def _encode_shard(job: tuple[int, int, float, float, str, Path]) -> bytes:
    seed, shard, glossaries, phrase_books, tokenizer_json, test_path = job
    tokenizer = Tokenizer.from_str(tokenizer_json)
    end = tokenizer.token_to_id(EOS)
    assert end is not None
    forbidden = test_sentences(test_path)
    ids: list[int] = []
    for text in texts(seed, shard, DOCUMENTS_PER_SHARD, glossaries, phrase_books):
        check(text, forbidden)
        ids += tokenizer.encode(text).ids
        if ids[-1] != end:
            ids.append(end)
    return np.array(ids, dtype=np.uint16).tobytes()


def encode_corpus(
    tokenizer: Tokenizer,
    num_tokens: int,
    seed: int,
    shares: tuple[float, float],
    test_path: Path,
) -> NDArray[np.uint16]:
    """At least `num_tokens` ids, `<s>` and `</s>` around every document.

    Args: shares: of glossaries and of phrase books among the documents.
    """
    source = tokenizer.to_str()
    jobs = ((seed, shard, *shares, source, test_path) for shard in range(10**6))
    parts, total = [], 0
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        batch = []
        while total < num_tokens:
            batch = [next(jobs) for _ in range(4 * (os.cpu_count() or 1))]
            for part in pool.imap(_encode_shard, batch):
                parts.append(np.frombuffer(part, dtype=np.uint16))
                total += len(parts[-1])
    return np.concatenate(parts)[:num_tokens]
