"""Files are opened by their content, whatever their names are."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from source_rows import read_rows

from graft.errors import DataError
from graft.sources import READERS
from graft.sources.opening import open_text

ROWS = [
    {"en": f"The house {i} is red.", "fr": f"La maison {i} — d'été."} for i in range(40)
]
TEXT = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
TABLE = pa.Table.from_pylist(ROWS)


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def stream(out: io.BytesIO) -> None:
    with pa.ipc.new_stream(out, TABLE.schema) as writer:
        writer.write_table(TABLE)


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "two gzip members": lambda c: gzip.compress(c[:500]) + gzip.compress(c[500:]),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "two zstd frames": lambda c: zstd(c[:500]) + zstd(c[500:]),
    "zip": lambda c: zipped(
        **{"a.jsonl": c, "__MACOSX/._a.jsonl": b"\0", "d/.DS_Store": b"", "a~": b"x"}
    ),
    "gzip in zip": lambda c: zipped(a=gzip.compress(c)),
    "nothing": lambda c: c,
}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "A.JSONL.ZST"])
@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_compressed_file_is_read_whatever_its_name(
    tmp_path: Path, make_data, pack: Callable[[bytes], bytes], name: str
) -> None:
    (tmp_path / name).write_bytes(pack(TEXT.encode()))
    found = list(read_rows(make_data(files={"all": name})))
    assert [row.values for row in found] == ROWS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("configured", ["utf-8", "latin-1", "utf-16"])
def test_a_byte_order_mark_takes_precedence_over_the_configuration(
    tmp_path: Path, make_data, encoding: str, configured: str
) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(TEXT.encode(encoding))
    found = list(read_rows(make_data(encoding=configured)))
    assert [row.values for row in found] == ROWS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_text_without_a_mark_is_refused_with_its_encoding(
    tmp_path: Path, make_data, encoding: str
) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(TEXT.encode(encoding))
    with pytest.raises(DataError, match=encoding[:6]) as caught:
        list(read_rows(make_data()))
    assert "data.encoding" in caught.value.fix
    found = list(read_rows(make_data(encoding=encoding)))
    assert [row.values for row in found] == ROWS


def test_narrow_text_is_not_read_as_wide_text(tmp_path: Path, make_data) -> None:
    (tmp_path / "pairs.jsonl").write_text(TEXT, encoding="utf-8")
    with pytest.raises(DataError, match="no zero byte"):
        list(read_rows(make_data(encoding="utf-16-le")))


OTHERS = {
    "Parquet": written(lambda out: pq.write_table(TABLE, out)),
    "packed": gzip.compress(written(lambda out: pq.write_table(TABLE, out))),
    "Arrow": written(lambda out: pyarrow.feather.write_feather(TABLE, out)),
    "Arrow stream": written(stream),
    "pickle": pickle.dumps(ROWS),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "web page": b"\n<!DOCTYPE html>\n<html><body>404 not found</body></html>\n",
    "XML": b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>\n',
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
    "Office": zipped(
        **{"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"}
    ),
    "2 files": zipped(a=b"a\n", b=b"b\n"),
    "empty": b"",
    "no rows in": gzip.compress(b""),
    "tar": b"a.jsonl".ljust(257, b"\0") + b"ustar\0" + b"0" * 250,
    "zero bytes": bytes(range(8)) * 20 + b"\0" * 200,
    "SQLite": b"SQLite format 3\0" + bytes(84),
    "ORC": b"ORC\x08\x03\x10\x02" + bytes(60),
    "image": b"\x89PNG\r\n\x1a\n" + bytes(60),
}
TEXT_FORMATS = sorted(set(READERS) - {"parquet"})


def source(make_data, name: str, data_format: str):
    sides = data_format in ("parallel", "sgm")
    files = {"en": name, "fr": name} if sides else name
    return make_data(format=data_format, files={"all": files})


@pytest.mark.parametrize("data_format", TEXT_FORMATS)
@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_of_another_kind_is_refused_for_every_format(
    tmp_path: Path, make_data, kind: str, data_format: str
) -> None:
    (tmp_path / "a").write_bytes(OTHERS[kind])
    with pytest.raises(DataError) as caught:
        list(read_rows(source(make_data, "a", data_format)))
    assert "data.format" in caught.value.fix or any(
        words in caught.value.problem for words in ("no rows", "zero bytes")
    )


@pytest.mark.parametrize("kind", sorted(set(OTHERS) - {"Parquet"}))
def test_the_format_of_a_file_that_is_not_parquet_is_named(
    tmp_path: Path, make_data, kind: str
) -> None:
    (tmp_path / "a.parquet").write_bytes(OTHERS[kind])
    with pytest.raises(DataError, match="is not Parquet; it is"):
        list(read_rows(make_data(format="parquet", files={"all": "a.parquet"})))


@pytest.mark.parametrize(
    "text",
    ["PAR1 is no magic here", "ORCS came", "BZh and GIF8", "PK of all", "Obj", "7z"],
)
def test_a_text_that_begins_like_a_signature_is_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    with open_text(tmp_path / "a.txt", "utf-8") as opened:
        assert opened.read() == text


def test_a_file_with_carriage_returns_only_has_lines(tmp_path: Path, make_data) -> None:
    (tmp_path / "a.csv").write_bytes(b"en,fr\ra,b\rc,d\r")
    found = list(read_rows(make_data(format="csv", files={"all": "a.csv"})))
    assert [(row.where, row.values["en"]) for row in found] == [
        ("a.csv:2", "a"),
        ("a.csv:3", "c"),
    ]
