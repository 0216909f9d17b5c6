"""Checks before any stage runs, for errors that would otherwise come hours later."""

from graft.preflight.checks import CHECKS, RunConfig, run_checks
from graft.preflight.hub import Hub
from graft.preflight.machine import Machine, read_machine

__all__ = [
    "CHECKS",
    "RunConfig",
    "Hub",
    "Machine",
    "read_machine",
    "run_checks",
]
