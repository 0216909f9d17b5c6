"""Settings of all tests."""

from hypothesis import settings

# A first call may import numpy or pyarrow, and the machine may be busy.
settings.register_profile("graft", deadline=None)
settings.load_profile("graft")
