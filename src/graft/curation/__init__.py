"""Rejected rows, and reviewers' decisions on rows and personal data."""
