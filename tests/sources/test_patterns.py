"""Which files a pattern matches."""

import os
import unicodedata
from pathlib import Path

import pytest
from source_rows import read_rows

from graft.errors import DataError
from graft.sources.files import find_parts
from graft.sources.patterns import find_files

ODD = [
    "a b",
    "50%",
    "#1",
    "[draft]",
    "it's",
    "été",
    "line\nbreak",
    "a;b",
    "$HOME",
    "~x",
]


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"en": "{path.name}", "fr": "x"}}\n')
    return root


def taken(root: Path, pattern: str) -> list[str]:
    return [str(path.relative_to(root)) for path in find_files(root, pattern)]


@pytest.mark.parametrize(
    "pattern", ["*", "*.jsonl", "**", "**/*", "**/*.jsonl", "?.jsonl"]
)
def test_copies_beside_the_data_never_match(tmp_path: Path, pattern: str) -> None:
    beside = [".#a.jsonl", "a.jsonl~", ".a.jsonl.swp", "._a.jsonl", "#a.jsonl#"]
    more = [".hidden.jsonl", "~$a.jsonl", "a.jsonl.dvc", ".gitignore", "a.jsonl.bak"]
    folders = [".git/b.jsonl", ".ipynb_checkpoints/c.jsonl", "__MACOSX/d.jsonl"]
    notes = ["Thumbs.db", "desktop.ini", "_SUCCESS", "a.jsonl.sha256", "b.crdownload"]
    make(tmp_path, "a.jsonl", *beside, *more, *folders, *notes)
    assert taken(tmp_path, pattern) == ["a.jsonl"]


def test_a_name_that_is_written_out_always_matches(tmp_path: Path) -> None:
    for name in (".hidden.jsonl", "a~", "*.jsonl", "[ab].jsonl", "b?.jsonl"):
        make(tmp_path, name, "a.jsonl")
        assert taken(tmp_path, name) == [name]


@pytest.mark.parametrize("pattern", ["*.csv", "**/*.CSV", "?.Csv", "[AB].csv"])
def test_the_case_of_letters_does_not_matter(tmp_path: Path, pattern: str) -> None:
    make(tmp_path, "a.csv", "B.CSV", "c/d.txt")
    assert taken(tmp_path, pattern) == ["B.CSV", "a.csv"]


def test_an_accent_matches_however_it_is_composed(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "été-1.csv")
    make(tmp_path, name)
    assert taken(tmp_path, "été-*.csv") == taken(tmp_path, "été-1.csv") == [name]


@pytest.mark.parametrize("name", ODD)
def test_any_character_may_be_in_a_path(tmp_path: Path, make_data, name: str) -> None:
    root = make(tmp_path / name, f"{name}/a.jsonl", f"{name}/b.jsonl")
    for pattern in (f"{name}/*.jsonl", "*/*.jsonl", "**/*.jsonl"):
        rows = list(read_rows(make_data(root=root, files={"all": pattern})))
        assert [row.values["en"] for row in rows] == ["a.jsonl", "b.jsonl"]
        assert all("\n" not in row.where for row in rows)


def test_folders_at_any_depth_are_searched_in_one_order(tmp_path: Path) -> None:
    make(tmp_path, "b/2.csv", "a/c/1.csv", "a/0.csv", "3.csv")
    found = ["3.csv", "a/0.csv", "a/c/1.csv", "b/2.csv"]
    assert taken(tmp_path, "**/*.csv") == taken(tmp_path, "**/**/*.csv") == found
    assert taken(tmp_path, "a/**/*.csv") == ["a/0.csv", "a/c/1.csv"]


def test_a_name_that_is_not_utf8_is_read_and_shown(tmp_path: Path, make_data) -> None:
    path = os.fsencode(tmp_path) + b"/donn\xe9es.jsonl"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write('{"en": "a", "fr": "b"}\nbroken\n')
    rows = list(read_rows(make_data(files={"all": "*.jsonl"})))
    assert [row.where for row in rows] == [
        "donn\\xe9es.jsonl:1",
        "donn\\xe9es.jsonl:2",
    ]


def test_links_are_followed_and_a_file_is_read_once(tmp_path: Path, make_data) -> None:
    make(tmp_path, "z.jsonl", "deep/y.jsonl")
    (tmp_path / "a.jsonl").symlink_to("z.jsonl")
    (tmp_path / "folder").symlink_to("deep")
    (tmp_path / "deep/loop").symlink_to(tmp_path)
    parts = find_parts(make_data(files={"all": "**/*.jsonl"}))
    assert sorted(part.where() for part in parts) == ["deep/y.jsonl", "z.jsonl"]


@pytest.mark.parametrize("second", ["train.jsonl", "t*.jsonl", "link.jsonl"])
def test_two_splits_with_the_same_file_are_refused(
    tmp_path: Path, make_data, second: str
) -> None:
    make(tmp_path, "train.jsonl")
    (tmp_path / "link.jsonl").symlink_to("train.jsonl")
    data = make_data(files={"train": "train.jsonl", "test": second})
    with pytest.raises(DataError, match="is also in train"):
        list(read_rows(data))


def test_one_column_may_link_the_same_file_twice(tmp_path: Path, make_data) -> None:
    make(tmp_path, "a.en", "a.fr", "b.fr")
    (tmp_path / "b.en").symlink_to("a.en")
    files = {"all": {"en": "*.en", "fr": "*.fr"}}
    assert len(find_parts(make_data(format="parallel", files=files))) == 2


@pytest.mark.parametrize("pattern", ["x.jsonl", "*.jsonl", "**/x*"])
def test_a_match_that_cannot_be_read_stops_the_stage(
    tmp_path: Path, pattern: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.symlink_to("nowhere")
    with pytest.raises(DataError, match="broken link"):
        find_files(tmp_path, pattern)
    path.unlink()
    path.symlink_to("x.jsonl")
    with pytest.raises(DataError, match="broken link"):
        find_files(tmp_path, pattern)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match="a pipe"):
        find_files(tmp_path, pattern)


@pytest.mark.parametrize("pattern", ["x.jsonl", "*.jsonl"])
def test_a_folder_with_a_file_s_name_is_refused(tmp_path: Path, pattern: str) -> None:
    make(tmp_path, "x.jsonl/part-0.jsonl", "y.jsonl")
    with pytest.raises(DataError, match="a folder") as caught:
        find_files(tmp_path, pattern)
    assert "folder/*" in caught.value.fix
    assert taken(tmp_path, "*") == ["y.jsonl"]


@pytest.mark.parametrize("pattern", ["*.csv", "no/*", "**/*.csv", "", "a\0b"])
def test_a_pattern_without_matches_is_an_error(tmp_path: Path, pattern: str) -> None:
    make(tmp_path, "a.jsonl")
    with pytest.raises(DataError):
        find_files(tmp_path, pattern)
