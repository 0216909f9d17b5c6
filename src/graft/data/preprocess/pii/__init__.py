"""Personal data in texts: found by pattern and checksum; redacted or reviewed."""
