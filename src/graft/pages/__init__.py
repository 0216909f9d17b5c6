"""What all pages of HTML share: numbers, axes, drawing and a style sheet."""

from importlib.resources import files

from markupsafe import Markup

__all__ = ["style"]


def style() -> Markup:
    """The rules that every page begins its style sheet with."""
    return Markup(files("graft.pages").joinpath("style.css").read_text("utf-8"))
