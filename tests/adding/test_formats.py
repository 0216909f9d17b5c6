"""The format of a file is detected from its content."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from graft.adding.formats import find_format
from graft.errors import DataError

PAIR = {"en": "The cat sleeps.", "fr": "Le chat dort."}
SQUAD = {"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": []}]}]}
CSV = {"format": "csv", "delimiter": ","}


def write(folder: Path, files: dict[str, str | bytes]) -> list[Path]:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", json.dumps(PAIR) + "\n" + json.dumps(PAIR), {"format": "jsonl"}),
        ("a.txt", json.dumps(PAIR) + "\n" + json.dumps(PAIR), {"format": "jsonl"}),
        ("a.json", json.dumps(PAIR) + "\n", {"format": "jsonl"}),
        ("a.json", json.dumps([PAIR], indent=2), {"format": "json"}),
        ("a.json", json.dumps([PAIR]), {"format": "json"}),
        ("a.json", json.dumps(SQUAD), {"format": "squad", "group": "title"}),
        ("a.json", json.dumps(SQUAD, indent=1), {"format": "squad", "group": "title"}),
        ("a.csv", 'en,fr\n"a, b",c\nd,e\n', CSV),
        ("a.csv", "\ufeffen,fr\na,c\n", CSV),
        ("a.csv", 'en,fr\n"two\nlines",c\n', CSV),
        ("a", "en;fr\na, b;c\nd;e\n", {"format": "csv", "delimiter": ";"}),
        (
            "a.csv",
            'en\tfr\nsay "a\tb\nc\td\n',
            {"format": "csv", "delimiter": "\t", "quote": None},
        ),
        ("a.csv", "text\none\ntwo\n", CSV),
        ("a.txt", "One, two.\nThree, four.\n", {"format": "text"}),
        ("a", "One day, a man came.\nHe left.\n", {"format": "text"}),
        ("a.parquet", b"PAR1....", {"format": "parquet"}),
        ("a.csv.gz", gzip.compress(b"en,fr\na,b\n", mtime=0), CSV),
    ],
)
def test_a_format_is_found_by_content(
    tmp_path: Path, name: str, content: str | bytes, expected: dict[str, Any]
) -> None:
    found = find_format(write(tmp_path, {name: content}))
    assert found == expected | {"files": {"all": name}}


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["train.csv", "test.csv"], {"train": "train.csv", "test": "test.csv"}),
        (
            ["dev.csv", "train-1.csv", "train-2.csv"],
            {"validation": "dev.csv", "train": "train*.csv"},
        ),
        (["a.csv", "b.csv"], {"all": "*.csv"}),
        (["train.csv", "other.csv"], {"all": "*.csv"}),
        (["v1.0.csv", "v1.1.csv"], {"all": "*.csv"}),
        (["Train_a.csv", "Train_b.csv"], {"train": "Train*.csv"}),
        (["testament.csv"], {"all": "testament.csv"}),
        (["test.csv"], {"all": "test.csv"}),
    ],
)
def test_files_named_after_splits_are_official_splits(
    tmp_path: Path, names: list[str], files: dict[str, str]
) -> None:
    paths = write(tmp_path, dict.fromkeys(names, "en,fr\na,b\n"))
    assert find_format(paths)["files"] == files


def test_text_files_in_pairs_are_parallel(tmp_path: Path) -> None:
    texts = {"train.en": "A.\nB.\n", "train.fr": "C.\nD.\n"}
    assert find_format(write(tmp_path, dict(texts))) == {
        "format": "parallel",
        "files": {"train": {"en": "train.en", "fr": "train.fr"}},
    }


def test_text_files_of_other_lengths_are_not(tmp_path: Path) -> None:
    texts = {"book.en": "A.\nB.\n", "book.fr": "C.\n"}
    with pytest.raises(DataError, match="no glob pattern matches"):
        find_format(write(tmp_path, dict(texts)))


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.csv": "en,fr\na,b\n", "b.jsonl": '{"en": "a"}\n'}, "b.jsonl: is jsonl"),
        ({"a.csv": "en,fr\na,b\n", "b.csv": "en;fr\na;b\n"}, "is csv with ';'"),
        ({"a.csv": ""}, "is empty"),
        ({"a.csv": "en,fr\na,b\n", "b.tsv": "en,fr\na,b\n"}, "no glob pattern matches"),
        ({"a.csv": "en,fr\nété,b\n".encode("latin-1")}, "neither UTF-8 text"),
        ({"a.bin": b"\x00\x01\x02"}, "neither UTF-8 text"),
    ],
)
def test_an_unknown_format_is_an_error(
    tmp_path: Path, files: dict[str, str | bytes], problem: str
) -> None:
    with pytest.raises(DataError, match=problem):
        find_format(write(tmp_path, files))
