"""The section `task`."""

from graft.config.quality import Side
from graft.config.section import Section


class TaskConfig(Section):
    """The task, and the languages of its texts.

    `languages` has the language code of each field. `expected_languages` is the
    language that `preprocess.quality` requires of each side: a code, or `stratum` if
    the stratum is the code.
    """

    name: str
    languages: dict[str, str]
    expected_languages: dict[Side, str]
