"""Components of all HTML pages: number formats, axes, plots and a style sheet."""

from importlib.resources import files

from markupsafe import Markup

__all__ = ["style"]


def style() -> Markup:
    """The CSS rules that all pages share."""
    return Markup(files("graft.pages").joinpath("style.css").read_text("utf-8"))
