"""A template of every kind of tokenizer, with few tokens where they are made here."""

from pathlib import Path

import small_sentencepiece
from small_tokenizers import load, save_all

from graft.prompts import Template

TINY = Path(__file__).parents[2] / "models" / "tiny"
PATTERN = "Q: {source}\nA:"  # its answers open with a space, which is not text
OFFICIAL = ["mistral-common:v1", "mistral-common:v3", "mistral-common:v3-tekken"]
PIECES = {
    "sentencepiece": {},
    "sentencepiece, no space opens a text": {"add_dummy_prefix": False},
    "sentencepiece, all spaces": {"remove_extra_whitespaces": False},
}
JSON = ["byte_level", "metaspace", "prepending"]
KINDS = [*JSON, *(f"{kind}, newline" for kind in JSON), "qwen", "tiny", *OFFICIAL]
KINDS += PIECES


def load_kinds(root: Path) -> dict[str, Template]:
    """A template for each of `KINDS`, with files under `root`."""
    folders = save_all(root)
    found = {name: load(name) for name in OFFICIAL}
    found |= {"qwen": load(folders["qwen"]), "tiny": load(TINY)}
    for kind in JSON:
        found[kind] = load(folders[kind], pattern=PATTERN)
        found[f"{kind}, newline"] = load(folders[kind], pattern=f"{PATTERN}\n")
    for number, (kind, options) in enumerate(PIECES.items()):
        (root / str(number)).mkdir()
        folder = small_sentencepiece.train(root / str(number), **options)
        found[kind] = small_sentencepiece.load(folder, "pattern", PATTERN)
    assert sorted(found) == sorted(KINDS)
    return found
