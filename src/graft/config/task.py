"""The sections `task`, `model`, `evaluate` and `registry`."""

import datetime
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from graft.config.quality import Side
from graft.config.requirements import RequirementsConfig
from graft.config.secrets import without_secret
from graft.config.section import Count, Positive, Section, Seed


def _iso(value: object) -> object:
    """A date as text; YAML parses an unquoted date as a date object."""
    return datetime.date.fromisoformat(str(value)).isoformat()


class PromptConfig(Section):
    """`chat` uses the model's own chat template; `pattern` is text with {source}.

    `paraphrases` are alternative prompts with {source}: each training example is also
    trained with `num_paraphrases` of them. `date` is the ISO date that replaces today's
    in a chat template, the same in training, evaluation and serving.
    """

    style: Literal["chat", "pattern"]
    pattern: str | None
    system: str | None
    paraphrases: list[str]
    num_paraphrases: Count
    date: Annotated[str, BeforeValidator(_iso)] | None

    @property
    def today(self) -> datetime.date | None:
        """`date` as a date object."""
        return None if self.date is None else datetime.date.fromisoformat(self.date)

    @model_validator(mode="after")
    def _pattern_has_a_source(self) -> Self:
        if self.style == "pattern" and "{source}" not in (self.pattern or ""):
            raise ValueError("style pattern needs a pattern that contains {source}")
        if self.style == "chat" and self.pattern is not None:
            raise ValueError("style chat has no pattern; set it to null")
        return self

    @model_validator(mode="after")
    def _paraphrases_have_a_source(self) -> Self:
        if mute := [text for text in self.paraphrases if "{source}" not in text]:
            raise ValueError(f"paraphrase {mute[0]!r} does not contain {{source}}")
        if self.num_paraphrases > len(self.paraphrases):
            raise ValueError(
                f"num_paraphrases {self.num_paraphrases} is more than the "
                f"{len(self.paraphrases)} paraphrases"
            )
        return self


class TaskConfig(Section):
    """The task, its prompt, and where a completion ends.

    `expected_languages` is the language that `preprocess.quality` requires of each
    side: a code, or `stratum` if the stratum is the code. `learn`: which answers of a
    conversation carry loss. `prompt_tokens`: for a text without a prompt, its first
    tokens are used as the prompt.
    """

    name: str
    learn: Literal["all", "last"]
    prompt_tokens: Positive
    prompt: PromptConfig
    languages: dict[str, str]
    expected_languages: dict[Side, str]
    stop: list[Annotated[str, Field(min_length=1)]]
    max_new_tokens: Positive
    metrics: list[str]


class ModelConfig(Section):
    """A base model: a folder or a Hub id, and the revision that identifies its
    content."""

    path: str
    revision: str
    tokenizer: str | None
    num_parameters: Positive
    dtype: Literal["bfloat16", "float16", "float32"]
    license: str | None


class EvaluateConfig(Section):
    """How completions are generated and scored, with 95 % bootstrap intervals.

    An adapter that does not meet `requirements` gets no alias, and the stage fails;
    null: no requirements.
    """

    device: Literal["auto", "cpu", "cuda"]
    max_examples: Positive | None
    batch_size: Positive
    num_beams: Positive
    temperature: Annotated[float, Field(ge=0)]
    num_resamples: Annotated[int, Field(ge=100)]
    num_samples: Count
    latency_runs: Count
    warmup_runs: Count
    seed: Seed
    requirements: RequirementsConfig | None

    @property
    def min_differences(self) -> dict[str, float]:
        """Smallest relevant differences, by metric."""
        return self.requirements.min_differences if self.requirements else {}


def _matches(pattern: str, rule: str) -> AfterValidator:
    """A validator of a complete text, with the rule as its error message."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(rule)
        return text

    return AfterValidator(check)


def _public(address: str) -> str:
    """Raises: ValueError if an address contains credentials."""
    if without_secret(address) != address:
        raise ValueError(
            "contains a user, password or token, which git would store; write the "
            "address without them, and set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or the complete address as MLFLOW_TRACKING_URI, "
            "in the environment"
        )
    return address


class RegistryConfig(Section):
    """The name of the registered model, and the MLflow experiment of its runs.

    MLflow rejects names of models with / or :, which are separators in the addresses of
    models (models:/NAME/VERSION, models:/NAME@ALIAS), but only when a version is
    registered.
    """

    name: Annotated[
        str,
        _matches(
            r"\w(?:[\w .-]{0,198}[\w.-])?",
            "a name of a model has 1 to 200 letters, digits, spaces and . _ -; MLflow "
            "rejects / and :",
        ),
    ]
    experiment: Annotated[
        str,
        _matches(
            r"\S(?:.{0,248}\S)?",
            "the name of an experiment has 1 to 250 characters on one line, without "
            "spaces at either end",
        ),
    ]
    tracking_uri: Annotated[
        str,
        _matches(r"\S(?:.*\S)?", "an address is one line without spaces at either end"),
        AfterValidator(_public),
    ]
