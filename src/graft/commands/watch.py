"""`graft watch`: take versions back on alerts, and analyse what is served."""

from graft.config.params import Params


def run(params: Params) -> None:
    """Receive alerts from Alertmanager and act on them, analyse the canary and drift,
    and export what was found for Prometheus, until the process is interrupted."""
    from graft.serving.watcher import load_watcher, run_watcher

    run_watcher(load_watcher(params), params.monitoring.watch)
