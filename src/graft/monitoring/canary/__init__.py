"""Canary analysis: challenger against champion on live traffic (docs/CANARY.md)."""
