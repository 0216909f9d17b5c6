"""Measure precision and recall of personal data detection by kind, on synthetic text.

    PYTHONPATH=fixtures python benchmarks/pii_quality.py --rows 5000 --seed 0
    PYTHONPATH=fixtures python benchmarks/pii_quality.py --world

--world: numbers of all countries and cards of all networks, with all regions enabled.
A finding is correct if it overlaps a labelled span of its kind, exact if it equals the
span. "borderline" spans are left in the text, but listed for review.
"""

import argparse
import time

import phonenumbers

from pii.labelled import labelled
from pii.score import score
from pii.templates import SENTENCES, WORLD

HOME = ["FR", "US", "GB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="errors to print by kind")
    parser.add_argument("--world", action="store_true", help="numbers of all countries")
    options = parser.parse_args()
    regions = sorted(phonenumbers.SUPPORTED_REGIONS) if options.world else HOME
    sentences = WORLD if options.world else SENTENCES
    examples = list(labelled(options.rows, options.seed, sentences=sentences))
    score(examples[:100], regions)  # warm-up: loads the numbering plans
    start = time.perf_counter()
    scores = score(examples, regions)
    took = time.perf_counter() - start
    print(
        f"{'kind':8} {'spans':>6} {'recall':>7} {'precision':>9} {'exact':>6}"
        f" {'borderline':>10}"
    )
    for kind, one in scores.items():
        print(
            f"{kind:8} {one.spans:6} {one.recall:7.3f} {one.precision:9.3f}"
            f" {one.exact / max(1, one.right):6.3f} {one.borderline:10}"
        )
        for error in one.errors[: options.show]:
            print("   ", error)
    print(f"{len(examples) / took:,.0f} rows/s, most of them with personal data")


if __name__ == "__main__":
    main()
