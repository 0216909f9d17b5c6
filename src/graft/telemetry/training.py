"""Metrics of a running training, for Prometheus to fetch, or for node_exporter to read.

The environment says where, not the parameters: this is no part of what is trained.
"""

import resource
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from time import monotonic, time

from graft.errors import ConfigError
from graft.telemetry.names import Metric, Training

PORT = "GRAFT_TRAINING_METRICS_PORT"
"""Port of /metrics on this machine; 0: any free port."""
FILE = "GRAFT_TRAINING_METRICS_FILE"
"""Path of a file in Prometheus' text format; node_exporter wants the suffix .prom."""
EVERY_S = 1.0
"""Least time between two writes of the file."""
_LOGGED: Mapping[str, tuple[Metric, float]] = {
    "train/loss": (Training.LOSS, 1),
    "train/gradient_norm": (Training.GRADIENT_NORM, 1),
    "train/tokens_per_s": (Training.SPEED, 1),
    "train/mfu": (Training.MFU, 1),
    "train/memory_gib": (Training.MEMORY, 2**30),
}
"""Name in the run → its metric, and the factor between them."""


class TrainingMetrics:
    """The metrics of one training run, as far as the environment asks for them.

    They begin with the first logged value of a training. A port or file that cannot be
    used costs a warning, never the training.

    Args:
        environment: of the process.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._port = environment.get(PORT)
        self._file = Path(environment[FILE]) if environment.get(FILE) else None
        self._stack = ExitStack()
        self._written = -EVERY_S
        self._values: "_Values | None" = None

    def read(self, logged: Mapping[str, float], step: int) -> None:
        """Take values that are logged after a step."""
        is_training = any(n.startswith(("train/", "validation/")) for n in logged)
        if not is_training or not (self._port or self._file):
            return
        if self._values is None:
            self._values = self._begin()
        values = self._values
        values.set(Training.STEP, step)
        values.set(Training.LAST_STEP, time())
        for name, (metric, factor) in _LOGGED.items():
            if name in logged:
                values.set(metric, logged[name] * factor)
        if "train/memory_gib" not in logged:
            values.set(Training.MEMORY, _host_memory_bytes())
        if monotonic() - self._written >= EVERY_S:
            self._write(values)

    def close(self, *, failed: bool) -> None:
        """The run has ended."""
        if self._values is not None:
            self._values.set(Training.RUNNING, 0)
            self._values.set(Training.FAILED, float(failed))
            self._write(self._values)
            self._stack.close()

    def _begin(self) -> "_Values":
        values = _Values()
        values.set(Training.RUNNING, 1)
        values.set(Training.FAILED, 0)
        try:
            if self._port:
                port = self._stack.enter_context(values.serve(self._port))
                address = f"http://127.0.0.1:{port}/metrics"
                print(f"train: metrics at {address}", file=sys.stderr, flush=True)
        except ConfigError as error:
            print(f"warning: {error}", file=sys.stderr)
        return values

    def _write(self, values: "_Values") -> None:
        if self._file is None:
            return
        self._written = monotonic()
        try:
            values.write(self._file)
        except OSError as error:
            print(f"warning: {FILE}={self._file}: {error}", file=sys.stderr)
            self._file = None


class _Values:
    """Gauges; one that was never set is absent."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Gauge

        self._registry, self._kind = CollectorRegistry(), Gauge
        self._gauges: dict[Metric, Gauge] = {}

    def set(self, metric: Metric, value: float) -> None:
        if metric not in self._gauges:
            gauge = self._kind(metric.name, metric.text, registry=self._registry)
            self._gauges[metric] = gauge
        self._gauges[metric].set(value)

    def serve(self, port: str) -> AbstractContextManager[int]:
        """Serve them. Raises: ConfigError if it is no port, or in use."""
        from graft.telemetry.port import metrics_port

        if not (port.isdecimal() and int(port) < 65536):
            raise ConfigError(
                PORT, f"{port!r} is no port", expected="0 to 65535", fix="correct it"
            )
        return metrics_port(self._registry, "127.0.0.1", int(port), PORT)

    def write(self, path: Path) -> None:
        """Replace a file by them, at once. Raises: OSError."""
        from prometheus_client import write_to_textfile

        write_to_textfile(str(path), self._registry)


def _host_memory_bytes() -> int:
    """Peak host memory of this process, which is the memory of training on a CPU."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
