"""Maps columns to the fields of a task by unambiguous column names."""

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
"""Field → further column names that it is recognized by."""
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
    """Map the columns to one of the task's sets of fields: field → column.

    The mapping is empty if column names are ambiguous or unknown.

    Args:
        task: task whose fields are mapped.
        columns: names of the columns.
        languages: language codes of the fields `source` and `target`, whose columns may
            be named after the code or the language.
    """
    matches: dict[str, str] = {}
    for field in task.fields:
        code = languages.get(field, "")
        names = {field, *NAMES.get(field, ()), code, *LANGUAGES.get(code, ())}
        candidates = [name for name in columns if name.strip().lower() in names]
        if len(candidates) == 1:
            matches[field] = candidates[0]
    for fields in task.field_sets:
        if all(field in matches for field in fields):
            others = {f for other in task.field_sets for f in other} - set(fields)
            mapping = {
                f: column
                for f, column in matches.items()
                # Without a mapping, an implied field is read from its own column.
                if f not in others and not (task.fields[f].implied and column == f)
            }
            return mapping if len(set(mapping.values())) == len(mapping) else {}
    fields, *more = task.field_sets
    if not more and len(fields) == len(columns) == 1:
        return {fields[0]: columns[0]}
    return {}


def read_pairs(option: str, pairs: Iterable[str]) -> dict[str, str]:
    """Arguments FIELD=COLUMN of an option as a mapping.

    Raises: ConfigError if an argument has another format.
    """
    mapping = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise ConfigError(
                f"{option} {pair}",
                "is not FIELD=COLUMN",
                expected="an argument such as source=english",
                fix="write the field of the task, =, and the column of the file",
            )
        mapping[field] = column
    return mapping


def missing_fields(task: Task, columns: Sequence[str], is_table: bool) -> ConfigError:
    """The error for columns that cannot be mapped by their names."""
    arguments = " or ".join(
        " ".join(f"{field}=COLUMN" for field in fields) for fields in task.field_sets
    )
    header = "; if the file has no header, also pass --columns" if is_table else ""
    return ConfigError(
        "--fields",
        f"cannot map columns to the fields of task {task.name} by their names: "
        f"{', '.join(columns)}",
        expected=f"--fields {arguments}",
        fix=f"pass --fields, or choose another task with --task{header}",
    )
