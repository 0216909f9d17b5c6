"""One class per section of params.yaml. Defaults live in `configs/`, not here."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """Base of every section: frozen, and strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class DataConfig(Section):
    """A source of rows. `fields` maps the task's fields to the source's columns.

    `files` gives each split (`all`: none of its own) a file or glob under `root`, or
    for formats parallel and sgm one file for each column. For format hub it gives
    each split the hub's name of it. `passage` joins consecutive rows of one text field
    into passages of about so many characters.
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

    @model_validator(mode="after")
    def _source_is_whole(self) -> Self:
        if self.format == "hub" and not (self.hub_id and self.revision):
            raise ValueError("format hub needs hub_id and a pinned revision")
        if not self.files:
            raise ValueError("files names no file; give split: file, or all: file")
        known = {"all", "train", "validation", "test"}
        if unknown := sorted(set(self.files) - known):
            raise ValueError(f"files has {unknown}; splits are {sorted(known)}")
        if self.format in ("parallel", "sgm"):
            if any(isinstance(value, str) for value in self.files.values()):
                raise ValueError("each split needs column: file pairs")
        elif any(not isinstance(value, str) for value in self.files.values()):
            raise ValueError(f"format {self.format} takes one file or glob a split")
        return self

    @model_validator(mode="after")
    def _files_are_under_root(self) -> Self:
        for files in self.files.values():
            for file in [files] if isinstance(files, str) else files.values():
                path = Path(file)
                if path.is_absolute() or ".." in path.parts:
                    raise ValueError(
                        f"files names {file}, which is not under root; DVC watches root"
                    )
        return self


class ConvertConfig(Section):
    """How many rows may be rejected before the stage stops."""

    max_rejects: Count


class PreprocessConfig(Section):
    """What is repaired in a text, and what is dropped. Lengths are in characters."""

    repair_unicode: bool
    strip_html: bool
    min_chars: Count
    max_chars: Positive
    max_length_ratio: Rate | None
    drop_identical: bool
    drop_duplicates: bool
    thinking: Literal["keep", "strip"]


class ValidateConfig(Section):
    """The contract's budget: past it, the line stops."""

    min_examples: Positive
    max_errors: Count
    max_leaked: Count
    num_shown: Count


class TokenizeConfig(Section):
    """Length limit of a sequence, in tokens, and what to do past it.

    `chunk` makes several sequences of a long text; each begins with the last `overlap`
    tokens of the one before, which it reads and does not learn again.
    """

    max_seq_len: Annotated[int, Field(ge=8)]
    overlong: Literal["drop", "truncate", "chunk"]
    overlap: Count
    num_shown: Count

    @model_validator(mode="after")
    def _chunks_go_on(self) -> Self:
        if self.overlap > self.max_seq_len // 2:
            raise ValueError(
                f"overlap {self.overlap} is more than half of max_seq_len "
                f"{self.max_seq_len}"
            )
        return self


class SplitConfig(Section):
    """Shares of examples that have no official split."""

    validation: Fraction
    test: Fraction
    seed: int

    @model_validator(mode="after")
    def _leaves_a_train_split(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must be under 1")
        return self


class PromptConfig(Section):
    """`chat` uses the model's own template; `pattern` is text with {source}.

    `paraphrases` are other ways to ask, texts with {source} too: each training example
    is also learned with `num_paraphrases` of them.
    """

    style: Literal["chat", "pattern"]
    pattern: str | None
    system: str | None
    paraphrases: list[str]
    num_paraphrases: Count

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

    `learn` says which of a conversation's answers carry loss. `prompt_tokens` are what
    a text that nobody asked for is prompted with: its own first tokens.
    """

    name: str
    learn: Literal["all", "last"]
    prompt_tokens: Positive
    prompt: PromptConfig
    languages: dict[str, str]
    stop: list[str]
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


class AdapterConfig(Section):
    """What is trained. `freeze_layers` keeps the first n layers as they are."""

    rank: Positive
    alpha: Rate
    dropout: Fraction
    target_modules: Literal["all-linear"] | list[str]
    rslora: bool
    dora: bool
    freeze_layers: Count


class QuantizationConfig(Section):
    """How the frozen base is stored."""

    method: Literal["nf4", "fp4", "none"]
    double_quant: bool
    compute_dtype: Literal["bfloat16", "float16", "float32"]


class TrainConfig(Section):
    """The optimizer, its schedule and its budget. A step is one optimizer update.

    `oversample` and `class_weights` favour rare strata: 0 leaves them as they are, 1
    makes all strata equal, the first by repeating examples, the second in the loss.
    """

    device: Literal["auto", "cpu", "cuda"]
    seed: int
    epochs: Rate
    max_steps: Positive | None
    micro_batch_size: Positive
    global_batch_size: Positive
    learning_rate: Rate
    schedule: Literal["cosine", "linear", "constant"]
    warmup_ratio: Fraction
    weight_decay: Annotated[float, Field(ge=0)]
    max_grad_norm: Rate
    optimizer: Literal["adamw_torch_fused", "adamw_8bit", "paged_adamw_8bit"]
    packing: bool
    oversample: Share
    class_weights: Share
    gradient_checkpointing: bool
    log_every: Positive
    evaluate_every: Positive
    early_stopping_patience: Positive | None
    checkpoints_kept: Positive

    @model_validator(mode="after")
    def _micro_batches_fill_a_step(self) -> Self:
        if self.global_batch_size % self.micro_batch_size:
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not a multiple of "
                f"micro_batch_size {self.micro_batch_size}"
            )
        return self


class EvaluateConfig(Section):
    """How completions are made and scored. Intervals are 95 % bootstrap."""

    device: Literal["auto", "cpu", "cuda"]
    max_examples: Positive | None
    batch_size: Positive
    num_beams: Positive
    temperature: Annotated[float, Field(ge=0)]
    num_resamples: Annotated[int, Field(ge=100)]
    num_samples: Count
    latency_runs: Count
    warmup_runs: Count
    seed: int


class RegistryConfig(Section):
    """The registered model's name, and the MLflow experiment of its runs."""

    name: str
    experiment: str
    tracking_uri: str
