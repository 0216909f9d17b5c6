"""SGM test sets."""

from pathlib import Path

from source_rows import read_rows

from graft.records import Reject, Row

SOURCE = """<srcset setid="x" srclang="any">
<doc docid="d1" genre="news">
<seg id="1">One &amp; two &lt;b&gt;</seg>
<seg id="2">Runs
over lines</seg><seg id="3">three</seg>
<seg id="4">never closed
<seg id="5">five</seg>
</doc>
<doc docid="d2"><seg id="1">other one</seg></doc>
</srcset>
"""
REFERENCE = """<refset setid="x" srclang="any" trglang="fr">
<DOC sysid=ref docid=d2><SEG id=1>autre</SEG></DOC>
<DOC docid='d1'>
<seg id=1> Un &amp; deux </seg>
<seg id="2">Sur des lignes</seg>
<seg id="4">quatre</seg>
<seg id="5">cinq</seg>
<seg id="5">encore cinq</seg>
<seg id="9">seul</seg></doc>
"""


def read(folder: Path, make_data) -> list[Row | Reject]:
    (folder / "s.sgm").write_text(SOURCE)
    (folder / "t.sgm").write_text(REFERENCE)
    files = {"test": {"en": "s.sgm", "fr": "t.sgm"}}
    return list(read_rows(make_data(format="sgm", files=files)))


def test_segments_are_paired_by_document_and_number_in_any_order(
    tmp_path: Path, make_data
) -> None:
    rows = [row for row in read(tmp_path, make_data) if isinstance(row, Row)]
    assert {(row.where, row.values["en"], row.values["fr"]) for row in rows} == {
        ("s.sgm:3", "One & two <b>", "Un & deux"),
        ("s.sgm:4", "Runs over lines", "Sur des lignes"),
        ("s.sgm:7", "five", "cinq"),
        ("s.sgm:9", "other one", "autre"),
    }
    assert {row.split for row in rows} == {"test"}


def test_segments_without_partner_or_end_are_rejects(tmp_path: Path, make_data) -> None:
    found = read(tmp_path, make_data)
    rejects = {row.where: row.reason for row in found if isinstance(row, Reject)}
    assert rejects == {
        "s.sgm:5": "no partner",
        "s.sgm:6": "broken SGM",
        "t.sgm:6": "no partner",
        "t.sgm:8": "no partner",
        "t.sgm:9": "no partner",
    }
