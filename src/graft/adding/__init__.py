"""Adds a user's data to a repository: detects its format, writes its configuration."""
