"""Drift: do the requests still look like the training data? (docs/DRIFT.md)"""
