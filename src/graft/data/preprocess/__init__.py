"""Cleaning: Unicode, markup, personal data, quality rules, duplicates."""
