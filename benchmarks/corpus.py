"""Generate a parallel corpus of any size with a known share of dirty rows.

    python benchmarks/corpus.py --rows 1000000 --dirt 0.01 --format parquet --out /tmp/c

Each row joins two sentences of `data/sample`, about 90 characters, so that 20,000
sentences give 4 × 10⁸ different rows. A share of the rows is made dirty, in equal parts
by exact and near duplicates, personal data, mojibake, markup, and whitespace.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
BATCH = 500_000
PII = (
    " Write to {}.{}@example.org.",
    " Call 06 12 34 5{} {}8.",
    " The card is 4111 1111 1111 1111, {} {}.",
)


def sentences() -> pl.DataFrame:
    """The sample's clean pairs. Columns en and fr."""
    lines = (
        (ROOT / "data/sample/pairs.jsonl").read_text("utf-8", "replace").splitlines()
    )
    whole = [line for line in lines if line.startswith("{") and line.endswith("}")]
    rows = [json.loads(line) for line in whole]
    texts = [(str(row.get("en")), str(row.get("fr"))) for row in rows]
    pairs = pl.DataFrame(texts, schema=["en", "fr"], orient="row")
    size = pl.col("en").str.len_chars(), pl.col("fr").str.len_chars()
    fit = (pl.min_horizontal(size) > 15) & (pl.max_horizontal(size) < 120)
    fit &= pl.col("en") != pl.col("fr")
    plain = ~pl.concat_str("en", "fr").str.contains(r"[<>&@\d]|Ã|Â|\s{2}")
    return (
        pairs.select("en", "fr")
        .drop_nulls()
        .filter(fit & plain)
        .unique(maintain_order=True)
    )


def batches(rows: int, dirt: float, seed: int) -> Iterator[pl.DataFrame]:
    """Frames with the columns en and fr."""
    known = sentences()
    for number, start in enumerate(range(0, rows, BATCH)):
        rng = np.random.default_rng([seed, number])
        size = min(BATCH, rows - start)
        first, second = rng.integers(0, known.height, (2, size))
        frame = pl.DataFrame(
            {
                side: known[side].gather(first) + " " + known[side].gather(second)
                for side in ("en", "fr")
            }
        )
        yield _dirty(frame, dirt, rng)


def _dirty(frame: pl.DataFrame, dirt: float, rng: np.random.Generator) -> pl.DataFrame:
    places = rng.choice(frame.height, int(frame.height * dirt), replace=False)
    english, french = frame["en"].to_list(), frame["fr"].to_list()
    for kind, part in enumerate(np.array_split(places, 6)):
        for at in part.tolist():
            if kind == 0:
                other = (at * 7919) % frame.height
                english[at], french[at] = english[other], french[other]
            elif kind == 1:
                other = (at * 6007) % frame.height
                english[at] = english[other] + " Indeed"
                french[at] = french[other] + " En effet"
            elif kind == 2:
                found = PII[at % 3].format(at % 10, at % 7)
                english[at], french[at] = english[at] + found, french[at] + found
            elif kind == 3:
                text = french[at] + " été"
                french[at] = text.encode().decode("cp1252", "ignore")
            elif kind == 4:
                english[at] = f"<p>{english[at]}</p> &amp; "
            else:
                english[at] = "  " if at % 2 else f"  {english[at]} \u200b\t "
    return pl.DataFrame({"en": english, "fr": french})


def write(out: Path, rows: int, dirt: float, kind: str, seed: int = 0) -> None:
    """Write the corpus as `part-N` files of the given kind."""
    out.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(batches(rows, dirt, seed)):
        if kind == "parquet":
            frame.write_parquet(out / f"rows-{number:05d}.parquet")
        else:
            frame.write_ndjson(out / f"rows-{number:05d}.jsonl")


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dirt", type=float, default=0.01)
    parser.add_argument("--format", choices=("parquet", "jsonl"), default="parquet")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    write(args.out, args.rows, args.dirt, args.format, args.seed)


if __name__ == "__main__":
    main()
