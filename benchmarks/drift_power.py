"""False alarms and power of the drift analysis, on generated or on real text.

    python benchmarks/drift_power.py --windows 1000
    python benchmarks/drift_power.py --windows 200 --texts base.txt \\
        --other french=base.fr novel=novel.txt

Without --texts, requests are sentences of the sample's grammar. Windows without drift
are fresh requests; each of --profiles profiles gets as many of them. With --texts,
profile and requests are parts of one file, a line each (or the field of JSON Lines:
FILE:FIELD).
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "fixtures")]

from graft.config.params import load_params  # noqa: E402  # pylint: disable=C0413
from graft.monitoring.drift.analysis import (  # noqa: E402  # pylint: disable=C0413
    analyse,
)
from graft.monitoring.drift.profile import (  # noqa: E402  # pylint: disable=C0413
    NUM_ROWS,
    Profile,
    ProfileFacts,
)
from graft.monitoring.drift.stream import (  # noqa: E402  # pylint: disable=C0413
    StreamDetector,
)
from graft.monitoring.features import (  # noqa: E402  # pylint: disable=C0413
    FEATURE_SCHEMA,
    to_features,
)
from graft.prompts import Template, load_template  # noqa: E402  # pylint: disable=C0413
from graft.records import Message  # noqa: E402  # pylint: disable=C0413
from sample.grammar import sentence  # noqa: E402  # pylint: disable=C0413

SHARES = (1.0, 0.2, 0.1, 0.05)
"""Of a window that have drifted."""
NUM_POOL = 20_000
Pools = dict[str, pa.Table]


def to_table(texts: Sequence[str], template: Template) -> pa.Table:
    rows = []
    for text in texts:
        ids = template.encode_prompt([Message(role="user", content=text)])
        rows.append(to_features(text, ids).to_row())
    return pa.Table.from_pylist(rows, FEATURE_SCHEMA)


def code_snippets() -> Iterator[str]:
    """Three lines of the package's own source at a time."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        for at in range(0, len(lines) - 2, 3):
            yield "\n".join(lines[at : at + 3])


def with_address(text: str, rng: Random) -> str:
    """The text with an e-mail address or a telephone number as its last word."""
    name = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6))
    number = f"+33 6 {rng.randint(10, 99)} {rng.randint(10, 99)} 34 56"
    found = rng.choice([f"{name}@example.org", number])
    return " ".join([*text.rstrip(".?!").split()[:-1], found])


def generated(count: int, seed: int) -> tuple[pa.Table, Pools]:
    """Requests without drift, and pools of drifted ones."""
    params, rng = load_params(ROOT / "params.yaml"), Random(seed)
    template = load_template(params.model, params.prompt)
    pairs = [sentence(rng) for _ in range(count)]
    english = [pair.en for pair in pairs]
    some = english[:2_500]
    lines = (ROOT / "data/miniatures/instructions.jsonl").read_text("utf-8")
    pattern = "Translate into French: {source}\nAnswer:"
    other = load_template(
        params.model, params.prompt.model_copy(update={"pattern": pattern})
    )
    doubled = [f"{a} {b}" for a, b in zip(some, english[2_500:5_000], strict=True)]
    texts = {
        "other language": [pair.fr for pair in pairs[:2_500]],
        "other domain": [json.loads(x)["instruction"] for x in lines.splitlines()],
        "twice the length": doubled,
        "code instead of prose": list(code_snippets())[:2_500],
        "personal data": [with_address(text, rng) for text in some],
    }
    pools = {name: to_table(lines, template) for name, lines in texts.items()}
    pools["another template"] = to_table(some, other)
    return to_table(english, template), pools


def read_texts(source: str) -> list[str]:
    path, _, field = source.partition(":")
    lines = Path(path).read_text("utf-8").splitlines()
    texts = [json.loads(line)[field] if field else line for line in lines]
    return [text for text in texts if text.strip()]


def given(source: str, others: Sequence[str], seed: int) -> tuple[pa.Table, Pools]:
    """The same of files of texts."""
    params = load_params(ROOT / "params.yaml")
    template = load_template(params.model, params.prompt)
    texts, rng = read_texts(source), Random(seed)
    rng.shuffle(texts)
    pools = {}
    for other in others:
        name, _, path = other.partition("=")
        pools[name] = to_table(read_texts(path), template)
    doubled = [f"{a} {b}" for a, b in zip(texts[::2], texts[1::2], strict=False)]
    pools["twice the length"] = to_table(doubled, template)
    pools["code instead of prose"] = to_table(list(code_snippets())[:2_500], template)
    addressed = [with_address(text, rng) for text in texts]
    pools["personal data"] = to_table(addressed, template)
    return to_table(texts, template), pools


def draw(pool: pa.Table, count: int, rng: np.random.Generator) -> pa.Table:
    return pool.take(rng.choice(pool.num_rows, count, replace=count > pool.num_rows))


Split = Callable[[np.random.Generator], tuple[Profile, pa.Table]]


def splitter(same: pa.Table, size: int) -> Split:
    def split(rng: np.random.Generator) -> tuple[Profile, pa.Table]:
        """A profile of `size` rows, and the others."""
        order = rng.permutation(same.num_rows)
        facts = ProfileFacts(size, "", False)
        return Profile(same.take(order[:size]), facts), same.take(order[size:])

    return split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=1_000)
    parser.add_argument("--profiles", type=int, default=10)
    parser.add_argument("--powers", type=int, default=20, help="windows with drift")
    parser.add_argument("--texts")
    parser.add_argument("--other", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    config = load_params(ROOT / "params.yaml").monitoring.drift
    size, rng = config.window_requests, np.random.default_rng(args.seed)
    if args.texts:
        same, pools = given(args.texts, args.other, args.seed)
    else:
        same, pools = generated(NUM_POOL, args.seed)
    split = splitter(same, min(NUM_ROWS, 2 * same.num_rows // 3))
    profile, traffic = split(rng)
    mean = size / config.false_alarm_rate
    print(f"{'drift':24}" + "".join(f"{share:>8.0%}" for share in SHARES), end="")
    print("  requests until the stream's alarm (median, most), all drifted")
    for name, pool in pools.items():
        rates, delays = [], []
        for share in SHARES:
            found, changed = 0, round(share * size)
            for _ in range(args.powers):
                parts = [draw(traffic, size - changed, rng), draw(pool, changed, rng)]
                report = analyse(pa.concat_tables(parts), profile, config)
                found += report.state == "drifted"
            rates.append(found / args.powers)
        for seed in range(args.powers):
            detector = StreamDetector(profile, mean, seed)
            detector.push(draw(traffic, size, rng))
            before = detector.num_requests
            alarms = detector.push(draw(pool, size, rng))
            delays.append(alarms[0].request - before if alarms else size + 1)
        shown = "".join(f"{rate:>8.0%}" for rate in rates)
        print(f"{name:24}{shown}  {statistics.median(delays):.0f}, {max(delays)}")
    alarms, streamed, per_profile = 0, 0, args.windows // args.profiles
    rates = []
    for number in range(args.profiles):
        profile, traffic = split(rng)
        own = 0
        detector = StreamDetector(profile, mean, number)
        for _ in range(per_profile):
            window = draw(traffic, size, rng)
            own += analyse(window, profile, config).state == "drifted"
            streamed += len(detector.push(window))
        alarms += own
        rates.append(own / per_profile)
        print(f"{number + 1}: {own} of {per_profile}", file=sys.stderr, flush=True)
    count = per_profile * args.profiles
    print(
        f"false alarms: {alarms} of {count:,} windows, {alarms / count:.1%} (stated: "
        f"{config.false_alarm_rate:.0%}); {min(rates):.1%} to {max(rates):.1%} by "
        "profile"
    )
    print(
        f"stream: {streamed} false alarms in {count * size:,} requests, of at most "
        f"{count * size / mean:.0f} expected"
    )


if __name__ == "__main__":
    main()
