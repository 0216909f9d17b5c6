"""What `drift_power.py` prints."""

import statistics
from collections.abc import Iterable, Sequence
from itertools import groupby

from scipy import stats

SHARES = (1.0, 0.2, 0.1, 0.05)
"""Of a window that have drifted."""
STREAM_WINDOWS = 20
"""Of each profile."""


def print_false_alarms(own: Sequence[Sequence[int]]) -> None:
    """The rate with two intervals: as if all windows were independent, and from the
    spread between profiles.

    Args:
        own: whether each window of each profile raised an alarm.
    """
    total, alarms = sum(map(len, own)), sum(map(sum, own))
    rate = alarms / total
    low, high = stats.binomtest(alarms, total).proportion_ci()
    print(f"{alarms} of {total:,} windows, {rate:.1%}")
    print(f"  95 % CI, if windows are independent: {low:.1%} to {high:.1%}")
    several = 1 < len(own) < total
    if several and 0 < alarms < total:
        rates = [statistics.mean(windows) for windows in own]
        error = statistics.stdev(rates) / len(own) ** 0.5
        half = float(stats.t.ppf(0.975, len(own) - 1)) * error
        table = [[sum(windows), len(windows) - sum(windows)] for windows in own]
        p_value = stats.chi2_contingency(table, correction=False).pvalue
        print(
            f"  95 % CI, from {len(own)} profiles: {rate - half:.1%} to "
            f"{rate + half:.1%}; rates of {min(rates):.1%} to {max(rates):.1%} differ "
            f"with p = {p_value:.3f} (χ²)"
        )


def print_power(name: str, results: Sequence[Sequence[int]]) -> None:
    rates = [statistics.mean(column) for column in zip(*results, strict=True)][:-1]
    delays = [result[-1] for result in results]
    shown = "".join(f"{rate:>8.0%}" for rate in rates)
    print(f"{name:24}{shown}  {statistics.median(delays):.0f}, {max(delays)}")


def print_all(found: Iterable[tuple[tuple[str, int, int], list[int]]]) -> None:
    has_head = False
    for name, group in groupby(found, lambda item: item[0][0]):
        results = list(group)
        if name.startswith("false alarms"):
            own = groupby(results, lambda item: item[0][1])
            print(f"{name}: ", end="")
            print_false_alarms([[a for _, part in one for a in part] for _, one in own])
        elif name == "stream":
            print(f"stream: {sum(one for _, (one,) in results)} alarms of ", end="")
            print(f"{len(results)} x {STREAM_WINDOWS} windows without drift")
        else:
            if not has_head:
                shares = "".join(f"{share:>8.0%}" for share in SHARES)
                print(
                    f"{'drift':24}{shares}  requests until the stream's alarm, ", end=""
                )
                print("all drifted (median, most)")
            has_head = True
            print_power(name, [result for _, result in results])
