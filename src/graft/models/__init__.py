"""Base models and adapters as files."""
