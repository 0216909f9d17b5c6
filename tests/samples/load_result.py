"""What a load found, and its table."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from load_calls import Received


@dataclass
class Seen:
    """Answers to one kind of request."""

    outcomes: Counter[str] = field(default_factory=Counter)
    first_s: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, received: Received) -> None:
        """Count an answer; times are those of answers with status 200."""
        self.outcomes[received.outcome] += 1
        if received.outcome == "200":
            self.first_s.append(received.first_s)
            self.seconds.append(received.seconds)


@dataclass
class LoadResult:
    """What a load found.

    Attributes:
        faults: answers and batches that were wrong.
        memory: MiB of each process, by the seconds since the start.
        end: what /health/ready says when all clients have ended.
        idle_s: processor time of each process in a second without requests.
    """

    kinds: dict[str, Seen] = field(default_factory=lambda: defaultdict(Seen))
    faults: list[str] = field(default_factory=list)
    memory: dict[float, Mapping[str, float]] = field(default_factory=dict)
    num_swaps: int = 0
    num_batches: int = 0
    end: Mapping[str, object] = field(default_factory=dict)
    in_use: Mapping[str, int] = field(default_factory=dict)
    idle_s: Mapping[str, float] = field(default_factory=dict)

    def growth(self, process: str) -> float:
        """Memory of the last tenth of the time by that of the tenth before its half,
        less one."""
        sizes = [sizes[process] for _, sizes in sorted(self.memory.items())]
        tenth = max(len(sizes) // 10, 1)
        half = len(sizes) // 2
        return median(sizes[-tenth:]) / median(sizes[half - tenth : half]) - 1

    def table(self) -> Iterator[str]:
        """Lines for each kind of request."""
        head = "first token p50, p95   total p50, p95   statuses"
        yield f"{'kind':28}{'count':>7}   {head}"
        for kind, seen in self.kinds.items():
            times = "".join(
                f"{part:>{width}}"
                for values, width in ((seen.first_s, 11), (seen.seconds, 9))
                for part in _p50_p95(values)
            )
            statuses = " ".join(f"{n}×{s}" for s, n in seen.outcomes.most_common())
            yield f"{kind:28}{seen.outcomes.total():>7}{times}   {statuses}"


def _p50_p95(seconds: Sequence[float]) -> list[str]:
    if len(seconds) < 2:
        return ["", ""]
    cuts = quantiles(seconds, n=20)
    return [f"{1000 * cuts[9]:.0f} ms", f"{1000 * cuts[18]:.0f} ms"]
