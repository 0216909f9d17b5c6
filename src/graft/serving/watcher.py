"""`graft watch`: its parts, and its process."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from graft.config.monitoring import WatchConfig
from graft.config.params import Params
from graft.monitoring.names import Watch
from graft.monitoring.watch.action_log import ActionLog
from graft.monitoring.watch.actions import ActionLimits, AlertActions
from graft.monitoring.watch.analyses import CanaryWatch, DriftWatch
from graft.monitoring.watch.app import create_app
from graft.monitoring.watch.notifications import Notifications
from graft.monitoring.watch.repeating import Repeated, Repeating
from graft.monitoring.watch.values import MetricValues
from graft.serving.listening import bind
from graft.serving.live_canary import alias_of, step
from graft.serving.live_drift import LiveDrift
from graft.serving.registry_watch import VIA, RegistryActions, RegistryWatch

REGISTRY_EVERY_S = 5.0
"""Seconds between two looks at the registry."""


@dataclass(frozen=True)
class Watcher:
    """All parts, before they run."""

    app: FastAPI
    works: Sequence[Repeated]
    notifications: Notifications


def load_watcher(params: Params) -> Watcher:
    """The parts, as configured.

    Raises: GraftError if a file of the configuration cannot be used.
    """
    registry, monitoring = params.registry, params.monitoring
    watch, values = monitoring.watch, MetricValues()
    values.add(Watch.NOTIFICATIONS_FAILED, value=0)
    notifications = Notifications(
        watch.notify_url, lambda: values.add(Watch.NOTIFICATIONS_FAILED)
    )
    actions = RegistryActions(registry, alias_of(params))
    alerts = AlertActions(
        {"rollback": actions.roll_back, "end_canary": actions.end_canary},
        ActionLog(Path(watch.state_file)),
        ActionLimits(watch.max_actions, watch.period_s, watch.cooldown_s),
        values,
        notifications,
    )
    state = RegistryWatch(registry, values, notifications)
    canary = CanaryWatch(lambda: step(params, VIA), values, notifications)
    drift = DriftWatch(LiveDrift(registry, monitoring, notifications).analyse, values)
    canary_s, drift_s = monitoring.canary.every_s, monitoring.drift.every_s
    works = [
        Repeated("the registry", REGISTRY_EVERY_S, state.read, state.failed),
        Repeated("the canary", canary_s, canary.work, canary.failed),
        Repeated("drift", drift_s, drift.work, drift.failed),
    ]
    token_file = Path(watch.token_file) if watch.token_file else None
    return Watcher(create_app(values, alerts.handle, token_file), works, notifications)


def run_watcher(watcher: Watcher, watch: WatchConfig) -> None:
    """Watch until SIGINT or SIGTERM. Raises: ConfigError if the address cannot be
    used."""
    start_log()
    with bind(watch.host, watch.port, "monitoring.watch") as listener:
        host, port = listener.getsockname()[:2]
        print(f"graft watch: http://{host}:{port} (/metrics, /alerts)", flush=True)
        config = uvicorn.Config(
            watcher.app, log_config=None, access_log=False, server_header=False
        )
        try:
            with Repeating(watcher.works):
                uvicorn.Server(config).run([listener])
        except KeyboardInterrupt:  # uvicorn raises the signal again after its end
            print("stopped", file=sys.stderr)
        finally:
            watcher.notifications.close()


def start_log() -> None:
    """Write what is done to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("graft.watch")
    logger.setLevel(logging.INFO)
    logger.handlers, logger.propagate = [handler], False
