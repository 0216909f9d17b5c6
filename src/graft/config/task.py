"""The sections that name a task, a base model, and how they are measured and kept."""

import datetime
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from graft.config.quality import Side
from graft.config.requirements import RequirementsConfig
from graft.config.secrets import without_secret
from graft.config.section import Count, Positive, Section, Seed


def _iso(value: object) -> object:
    """YAML reads an unquoted date as one."""
    return datetime.date.fromisoformat(str(value)).isoformat()


class PromptConfig(Section):
    """`chat` uses the model's own template; `pattern` is text with {source}.

    `paraphrases` are other ways to ask, texts with {source} too: each training example
    is also learned with `num_paraphrases` of them. `date` is the day that a chat
    template writes where it wants today's, in ISO form: the same at training,
    evaluation and serving.
    """

    style: Literal["chat", "pattern"]
    pattern: str | None
    system: str | None
    paraphrases: list[str]
    num_paraphrases: Count
    date: Annotated[str, BeforeValidator(_iso)] | None

    @property
    def today(self) -> datetime.date | None:
        """`date` as such."""
        return None if self.date is None else datetime.date.fromisoformat(self.date)

    @model_validator(mode="after")
    def _pattern_has_a_source(self) -> Self:
        if self.style == "pattern" and "{source}" not in (self.pattern or ""):
            raise ValueError("style pattern needs a pattern that contains {source}")
        if self.style == "chat" and self.pattern is not None:
            raise ValueError("style chat takes no pattern; set it to null")
        return self

    @model_validator(mode="after")
    def _paraphrases_have_a_source(self) -> Self:
        if mute := [text for text in self.paraphrases if "{source}" not in text]:
            raise ValueError(f"paraphrase {mute[0]!r} does not contain {{source}}")
        if self.num_paraphrases > len(self.paraphrases):
            raise ValueError(
                f"num_paraphrases {self.num_paraphrases} of {len(self.paraphrases)}"
            )
        return self


class TaskConfig(Section):
    """What is learned, how it is asked, and how an answer ends.

    `expected_languages` say what `preprocess.quality` asks of each side: a code, or
    `stratum`, which is then the code. `learn` says which of a conversation's answers
    carry loss. `prompt_tokens` are what a text that nobody asked for is prompted with:
    its own first tokens.
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
    """A base model: a folder or a hub id, and the revision that names its content."""

    path: str
    revision: str
    tokenizer: str | None
    num_parameters: Positive
    dtype: Literal["bfloat16", "float16", "float32"]
    license: str | None


class EvaluateConfig(Section):
    """How completions are made and scored. Intervals are 95 % bootstrap.

    An adapter that falls short of `requirements` gets no alias, and the stage fails;
    null requires nothing.
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
        """By metric, the smallest difference that matters."""
        return self.requirements.min_differences if self.requirements else {}


def _matches(pattern: str, rule: str) -> AfterValidator:
    """A check of a whole text; who breaks it reads the rule."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(rule)
        return text

    return AfterValidator(check)


def _public(address: str) -> str:
    """Raises: ValueError if an address holds what git and MLflow must not have."""
    if without_secret(address) != address:
        raise ValueError(
            "holds a user, password or token, which git would keep; write the address "
            "without them, and set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or the whole address as MLFLOW_TRACKING_URI, "
            "in the environment"
        )
    return address


class RegistryConfig(Section):
    """The registered model's name, and the MLflow experiment of its runs.

    MLflow refuses a model's name with / or :, which stand in addresses of models
    (models:/NAME/VERSION, models:/NAME@ALIAS), but only when a version is made.
    """

    name: Annotated[
        str,
        _matches(
            r"\w(?:[\w .-]{0,198}[\w.-])?",
            "a model's name has 1 to 200 letters, digits, blanks and . _ -, none of "
            "them / or :, which MLflow refuses",
        ),
    ]
    experiment: Annotated[
        str,
        _matches(
            r"\S(?:.{0,248}\S)?",
            "an experiment's name has 1 to 250 characters on one line, no blank first "
            "or last",
        ),
    ]
    tracking_uri: Annotated[
        str,
        _matches(r"\S(?:.*\S)?", "an address is one line, no blank first or last"),
        AfterValidator(_public),
    ]
