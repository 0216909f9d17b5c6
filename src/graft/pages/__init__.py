"""Components of all HTML pages: number formats, axes, plots and a style sheet."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def environment(package: str, *, autoescape: bool = True) -> Environment:
    """Jinja's environment for the templates in the folder of a package. A variable that
    is missing is an error."""
    return Environment(
        loader=PackageLoader(package, "."),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style() -> Markup:
    """The CSS rules that all pages share."""
    return Markup(files("graft.pages").joinpath("style.css").read_text("utf-8"))
