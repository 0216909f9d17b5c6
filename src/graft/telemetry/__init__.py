"""Metrics for Prometheus: what they are, and a port or a file for them."""
