"""Checks that examples must pass before training."""
