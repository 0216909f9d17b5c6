"""The section `monitoring`: what is measured while versions serve, and what follows."""

from graft.config.monitoring.canary import CanaryAnalysisConfig
from graft.config.monitoring.drift import DriftConfig
from graft.config.monitoring.feedback import FeedbackConfig
from graft.config.monitoring.request_log import RequestLogConfig
from graft.config.monitoring.telemetry import TelemetryConfig
from graft.config.monitoring.watch import WatchConfig
from graft.config.section import Section

__all__ = [
    "CanaryAnalysisConfig",
    "DriftConfig",
    "FeedbackConfig",
    "MonitoringConfig",
    "RequestLogConfig",
    "TelemetryConfig",
    "WatchConfig",
]


class MonitoringConfig(Section):
    """Metrics, the request log, drift, the canary's analysis, and the watcher."""

    telemetry: TelemetryConfig
    request_log: RequestLogConfig
    feedback: FeedbackConfig
    drift: DriftConfig
    canary: CanaryAnalysisConfig
    watch: WatchConfig
