"""A small run of benchmarks/seeded_defects.py, in this process."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

from graft import cli

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_every_planted_defect_is_found_and_no_clean_row_is_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    seeded = import_module("seeded_defects")
    make_corpus = import_module("defect_corpus").make_corpus

    def run(arguments: Sequence[str], folder: Path) -> None:
        monkeypatch.chdir(folder)
        cli.call(import_module(arguments[1]).run, arguments[2:])

    corpus = make_corpus(400, 3, seeded.KINDS, 7)
    seeded.run_pipeline(corpus, tmp_path, run)
    assert len(seeded.KINDS) >= 50
    assert len(corpus.planted) == 3 * len(seeded.KINDS)
    assert seeded.faults(corpus, seeded.Outcome.read(tmp_path)) == {}
