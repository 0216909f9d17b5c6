"""Whether a run can end well: checked in seconds, before any stage starts."""

from graft.preflight.checks import CHECKS, Asked, refuse
from graft.preflight.hub import Hub, HuggingFaceHub
from graft.preflight.machine import Machine, read_machine

__all__ = [
    "CHECKS",
    "Asked",
    "Hub",
    "HuggingFaceHub",
    "Machine",
    "read_machine",
    "refuse",
]
