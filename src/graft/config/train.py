"""The sections `quantization` and `train`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from graft.config.section import Fraction, Positive, Rate, Section, Seed, Share


class QuantizationConfig(Section):
    """Storage of the frozen base."""

    method: Literal["nf4", "fp4", "none"]
    double_quant: bool
    compute_dtype: Literal["bfloat16", "float16", "float32"]


class TrainConfig(Section):
    """The optimizer, its schedule and its budget. A step is one optimizer update.

    `oversample` and `class_weights` favour rare strata: 0 changes nothing, 1 makes all
    strata equal, the first by repeating examples, the second in the loss.
    `num_processes`: on this machine, one per GPU; the result of a step does not depend
    on it. `shard_base`: each process holds a part of the 4-bit base, and gathers
    weights when they are needed. `kernels`: graft's fused kernels support CUDA and some
    model families; auto uses them where they are supported, plain never.
    `max_loss_ratio`: training stops if its loss stays above this multiple of the
    earlier loss. `neftune_alpha`: scale of the noise on embeddings.
    `gradient_checkpointing`: true keeps only the input of each layer for the backward
    pass. With fused layers, selective keeps everything but the gate and up projections;
    on CUDA, offload keeps the inputs in host memory, and swap also attention's states.
    auto chooses the fastest that fits the GPU.
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
    def _step_is_a_multiple_of_micro_batches(self) -> Self:
        if self.global_batch_size % (self.micro_batch_size * self.num_processes):
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not a multiple of "
                f"micro_batch_size {self.micro_batch_size} on num_processes "
                f"{self.num_processes}"
            )
        return self
