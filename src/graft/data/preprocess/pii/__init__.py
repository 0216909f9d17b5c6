"""Personal data in texts: found by pattern and checksum; redacted or reviewed."""

from graft.data.preprocess.pii.review import Decisions, ReviewLine, to_decisions, to_key
from graft.data.preprocess.pii.scrub import Scrubbed, Scrubber

__all__ = [
    "Decisions",
    "ReviewLine",
    "Scrubbed",
    "Scrubber",
    "to_decisions",
    "to_key",
]
