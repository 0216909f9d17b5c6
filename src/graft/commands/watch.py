"""`graft watch`: take versions back on alerts, and analyse what is served."""

from graft.config import MonitoringConfig, RegistryConfig, ServingConfig


def run(
    registry: RegistryConfig, serving: ServingConfig, monitoring: MonitoringConfig
) -> None:
    """Receive alerts from Alertmanager and act on them, analyse the canary and drift,
    and export what was found for Prometheus, until the process is interrupted."""
    from graft.serving.watcher import load_watcher, run_watcher

    run_watcher(load_watcher(registry, serving, monitoring), monitoring.watch)
