"""Checks before any stage runs, for errors that would otherwise come hours later."""
