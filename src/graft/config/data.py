"""The sections that the data stages read."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.config.pii import PiiConfig
from graft.config.quality import QualityConfig
from graft.config.section import Count, Positive, Rate, Section
from graft.field_paths import EACH, path_error


class DataConfig(Section):
    """A source of rows. `fields` maps the task's fields to the source's columns.

    `files` maps each split (`all`: no official split) to a file or glob under `root`,
    or for the formats parallel and sgm to one file per column, or for the format hub to
    the name of the split on the Hub. `passage` joins consecutive rows of a single text
    field into passages of about so many characters. `constants` adds columns to every
    row, such as the language. `required`, `ranges` and `strata` are further
    requirements on rows; null in a range means no bound.
    """

    name: str
    format: Literal[
        "hub", "jsonl", "json", "csv", "parquet", "text", "parallel", "sgm", "squad"
    ]
    root: Path
    files: dict[str, str | dict[str, str]]
    hub_id: str | None
    subset: str | None
    revision: str | None
    fields: dict[str, str]
    constants: dict[str, str | int | float | bool]
    group: str | None
    stratum: str | None
    split: str | None
    columns: list[str] | None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)]
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None
    encoding: str
    max_rows: Positive | None
    passage: Positive | None
    license: str | None
    required: list[str]
    ranges: dict[str, tuple[float | None, float | None]]
    strata: list[str] | None

    @model_validator(mode="after")
    def _source_is_complete(self) -> Self:
        if self.format == "hub" and not (self.hub_id and self.revision):
            raise ValueError("format hub needs hub_id and a pinned revision")
        if not self.files:
            raise ValueError("files is empty; set split: file, or all: file")
        known = {"all", "train", "validation", "test"}
        if unknown := sorted(set(self.files) - known):
            raise ValueError(
                f"files has unknown splits {unknown}; known: {sorted(known)}"
            )
        if self.format in ("parallel", "sgm"):
            if any(isinstance(value, str) for value in self.files.values()):
                raise ValueError("each split needs column: file pairs")
        elif any(not isinstance(value, str) for value in self.files.values()):
            raise ValueError(f"format {self.format} needs one file or glob per split")
        return self

    @model_validator(mode="after")
    def _paths_are_valid(self) -> Self:
        single = {"group": self.group, "stratum": self.stratum, "split": self.split}
        paths = {f"fields.{field}": path for field, path in self.fields.items()}
        paths |= {f"required.{path}": path for path in self.required}
        single |= {f"ranges.{path}": path for path in self.ranges}
        for name, path in (paths | single).items():
            if path and (problem := path_error(path)):
                raise ValueError(f"{name} {path!r}: {problem}")
            if path and name in single and EACH in path:
                raise ValueError(
                    f"{name} {path!r}: needs a single value, but {EACH} selects all"
                )
        return self

    @model_validator(mode="after")
    def _allowed_strata_have_a_column(self) -> Self:
        if self.strata is not None and self.stratum is None:
            raise ValueError("strata is set, but stratum names no column")
        return self

    @model_validator(mode="after")
    def _passages_have_one_text(self) -> Self:
        if self.passage is not None and len(self.fields) != 1:
            raise ValueError("passage needs a single field, but fields has several")
        return self

    @model_validator(mode="after")
    def _files_are_under_root(self) -> Self:
        for files in self.files.values():
            for file in [files] if isinstance(files, str) else files.values():
                path = Path(file)
                if path.is_absolute() or ".." in path.parts:
                    raise ValueError(
                        f"{file} of files is not under root, the folder that DVC tracks"
                    )
        return self


class ConvertConfig(Section):
    """How many rows may be rejected before the stage stops."""

    max_rejects: Count


class PreprocessConfig(Section):
    """Text repair and quality rules. Lengths are in characters."""

    repair_unicode: bool
    strip_html: bool
    min_chars: Count
    max_chars: Positive
    max_length_ratio: Rate | None
    drop_identical: bool
    drop_duplicates: bool
    thinking: Literal["keep", "strip"]
    near_duplicates: NearDuplicatesConfig
    pii: PiiConfig
    quality: QualityConfig

    @model_validator(mode="after")
    def _near_is_no_stricter_than_exact(self) -> Self:
        if self.near_duplicates.policy == "drop" and not self.drop_duplicates:
            raise ValueError(
                "near_duplicates.policy drop with drop_duplicates false would drop "
                "exact duplicates, too; set policy: group, or drop_duplicates: true"
            )
        return self


class ValidateConfig(Section):
    """Limits of the checks; beyond them the pipeline stops."""

    min_examples: Positive
    max_errors: Count
    max_leaked: Count
    num_shown: Count


class TokenizeConfig(Section):
    """Maximum length of a sequence, in tokens, and the treatment of longer ones.

    `drop` rejects them. `truncate` cuts the end of the answer, so it is trained without
    its end token. `truncate_left` cuts the oldest part of the prompt: turns, then
    words, but never the system turn or the last answer. `chunk` splits a long text into
    several sequences; each begins with the last `overlap` tokens of the previous one,
    which carry no loss again. `trained_answers`: which answers of a conversation carry
    loss.
    """

    max_seq_len: Annotated[int, Field(ge=8)]
    overlong: Literal["drop", "truncate", "truncate_left", "chunk"]
    overlap: Count
    trained_answers: Literal["all", "last"]
    num_shown: Count

    @model_validator(mode="after")
    def _chunks_advance(self) -> Self:
        if self.overlap > self.max_seq_len // 2:
            raise ValueError(
                f"overlap {self.overlap} is more than half of max_seq_len "
                f"{self.max_seq_len}"
            )
        return self
