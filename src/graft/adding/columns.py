"""Maps columns to a task's fields, if their names are unambiguous."""

from collections.abc import Iterable, Mapping, Sequence

from graft.errors import ConfigError
from graft.tasks import Task

NAMES: Mapping[str, tuple[str, ...]] = {
    "source": ("src",),
    "target": ("tgt",),
    "question": ("query",),
    "context": ("passage",),
    "answers": ("answer",),
    "instruction": ("prompt",),
    "steps": ("output", "response"),
    "output": ("response",),
    "turns": ("messages", "conversations", "conversation"),
    "text": ("content",),
}
"""Other column names of a field."""
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "en": ("english", "anglais"),
    "fr": ("french", "français", "francais"),
    "de": ("german", "deutsch"),
    "es": ("spanish", "español"),
    "it": ("italian", "italiano"),
    "pt": ("portuguese", "português"),
}


def guess_fields(
    task: Task, columns: Sequence[str], languages: Mapping[str, str]
) -> dict[str, str]:
    """Field → column, for one set of fields of the task; empty if it is ambiguous.

    Args:
        languages: codes of `source` and `target`; columns may have their codes or
            names.
    """
    found: dict[str, str] = {}
    for field in task.fields:
        code = languages.get(field, "")
        names = {field, *NAMES.get(field, ()), code, *LANGUAGES.get(code, ())}
        fitting = [name for name in columns if name.strip().lower() in names]
        if len(fitting) == 1:
            found[field] = fitting[0]
    for form in task.field_sets:
        if all(field in found for field in form):
            others = {f for one in task.field_sets for f in one} - set(form)
            fields = {f: c for f, c in found.items() if c != _implied(task, f)}
            mine = {f: c for f, c in fields.items() if f not in others}
            return mine if len(set(mine.values())) == len(mine) else {}
    form, *more = task.field_sets
    if not more and len(form) == len(columns) == 1:
        return {form[0]: columns[0]}
    return {}


def _implied(task: Task, field: str) -> str | None:
    """The column that an unmapped field is read from, or None."""
    return field if task.fields[field].implied else None


def read_pairs(option: str, pairs: Iterable[str]) -> dict[str, str]:
    """`field=column` as a mapping. Raises: ConfigError."""
    found = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise ConfigError(
                f"{option} {pair}",
                "is not a field and its column",
                expected="such as source=english",
                fix="write the field of the task, =, and the column of the file",
            )
        found[field] = column
    return found


def missing_fields(task: Task, columns: Sequence[str], is_table: bool) -> ConfigError:
    """The error that the columns must be named."""
    forms = " or ".join(
        " ".join(f"{field}=COLUMN" for field in form) for form in task.field_sets
    )
    header = (
        "; if the first row has no names, also pass --columns A B" if is_table else ""
    )
    return ConfigError(
        "--fields",
        f"cannot map columns to the fields of task {task.name} by their names: "
        f"{', '.join(columns)}",
        expected=f"--fields {forms}",
        fix=f"pass --fields, or choose another task with --task{header}",
    )
