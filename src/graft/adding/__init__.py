"""Adds a user's data: its place in the repository, its format, its configuration."""
