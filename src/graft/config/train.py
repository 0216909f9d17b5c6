"""The sections that the train stage reads."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from graft.config.section import Fraction, Positive, Rate, Section, Seed, Share


class QuantizationConfig(Section):
    """How the frozen base is stored."""

    method: Literal["nf4", "fp4", "none"]
    double_quant: bool
    compute_dtype: Literal["bfloat16", "float16", "float32"]


class TrainConfig(Section):
    """The optimizer, its schedule and its budget. A step is one optimizer update.

    `oversample` and `class_weights` favour rare strata: 0 leaves them as they are, 1
    makes all strata equal, the first by repeating examples, the second in the loss.
    `num_processes`: on this machine, one a GPU; a step is the same for any number.
    `shard_base`: each holds a part of the 4-bit base, and gathers what it needs.
    `kernels`: fused ones of our own are for CUDA and some families of models; auto
    takes them where they can be, plain never.
    `max_loss_ratio`: training stops where its loss stays above so many times what it
    was. `neftune_alpha`: of the noise on embeddings.
    `gradient_checkpointing`: whether a layer's input alone is kept for the way back;
    with fused layers also selective: all but gates and ups; and on CUDA, in the
    machine's memory, swap: attention's states too; offload: the input. auto: whatever
    keeps the most that fits the GPU.
    """

    device: Literal["auto", "cpu", "cuda"]
    num_processes: Positive
    shard_base: bool
    seed: Seed
    epochs: Rate
    max_steps: Positive | None
    micro_batch_size: Positive
    global_batch_size: Positive
    learning_rate: Rate
    schedule: Literal["cosine", "linear", "constant"]
    warmup_ratio: Fraction
    weight_decay: Annotated[float, Field(ge=0)]
    max_grad_norm: Rate
    max_loss_ratio: Rate | None
    must_learn: bool
    optimizer: Literal["adamw_torch_fused", "adamw_8bit", "paged_adamw_8bit"]
    kernels: Literal["auto", "fused", "plain"]
    neftune_alpha: Rate | None
    packing: bool
    oversample: Share
    class_weights: Share
    gradient_checkpointing: bool | Literal["selective", "swap", "offload", "auto"]
    log_every: Positive
    evaluate_every: Positive
    early_stopping_patience: Positive | None
    checkpoints_kept: Positive

    @model_validator(mode="after")
    def _micro_batches_fill_a_step(self) -> Self:
        if self.global_batch_size % (self.micro_batch_size * self.num_processes):
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not a multiple of "
                f"micro_batch_size {self.micro_batch_size} on num_processes "
                f"{self.num_processes}"
            )
        return self
