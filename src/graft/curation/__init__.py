"""Decisions of reviewers, and the rejects that they decide on."""
