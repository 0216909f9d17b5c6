"""Base models and adapters as files."""

from graft.models.files import model_digest

__all__ = ["model_digest"]
