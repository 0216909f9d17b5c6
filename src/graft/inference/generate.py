"""The work of stage `generate`: outputs of base and tuned model."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from graft.config import GenerationConfig
from graft.hardware.machine import (
    device_name,
    library_versions,
    peak_memory_gib,
    peak_rss_gib,
)
from graft.inference.adapters import active_adapter, switchable_adapters
from graft.inference.backends import Backend, EngineBackend, ModelPass
from graft.inference.chunks import ChunkRunner, RowOutput
from graft.inference.examples import HeldOutExample
from graft.inference.families import inner_model, is_supported
from graft.inference.generated import Generated
from graft.inference.held_out_prompts import Prompt, PromptTemplate, to_prompt
from graft.inference.latency import measure_latency
from graft.inference.likelihood import count_trained_tokens
from graft.inference.results import Decoding, GenerationCost, Latency
from graft.inference.run_journal import RunJournal
from graft.records import Prediction


@dataclass(frozen=True)
class GenerationPlan:
    """What each model generates, and how."""

    decoding: Decoding
    prompt_tokens: int
    latency_runs: int
    warmup_runs: int

    @classmethod
    def of(cls, generation: GenerationConfig) -> Self:
        """As configured."""
        return cls(
            decoding=Decoding.of(generation),
            prompt_tokens=generation.prompt_tokens,
            # A pass of the engine says nothing about the latency of vLLM.
            latency_runs=(
                generation.latency_runs if generation.backend == "engine" else 0
            ),
            warmup_runs=generation.warmup_runs,
        )


def plan_passes(
    base: Any, tune: Callable[[Any], Any], decoding: Decoding, *, keeps_base: bool
) -> Iterator[ModelPass]:
    """Base and tuned model in one pass if rows can switch the adapter, else in two.

    In one pass, both meet the same batches, so rounding favours neither. A pass must
    have ended before the next is taken.

    Args:
        base: the base model, loaded.
        tune: returns the tuned model for the base.
        decoding: how completions are made.
        keeps_base: whether the tuned model is the base with an adapter, rather than a
            model of its own, which takes the base's place.
    """
    if not keeps_base:
        yield ModelPass(base, {"base": None})
        model = tune(base)
        yield ModelPass(model, {"tuned": active_adapter(model)})
        return
    model = tune(base)
    adapter = active_adapter(model)
    by_row = switchable_adapters(inner_model(model)) is not None
    if by_row and is_supported(model) and decoding.num_beams == 1:
        yield ModelPass(model, {"base": None, "tuned": adapter})
        return
    with model.disable_adapter():
        yield ModelPass(model, {"base": None})
    yield ModelPass(model, {"tuned": adapter})


def generate(
    passes: Iterable[ModelPass],
    template: PromptTemplate,
    examples: Sequence[HeldOutExample],
    plan: GenerationPlan,
    journal: RunJournal,
    *,
    adapter: str,
    backend: Backend | None = None,
    check_tuned: Callable[[Any, str | None], object] = lambda model, adapter: None,
    warnings: Sequence[str] = (),
    name_device: Callable[[str], str] = device_name,
    peak_memory: Callable[[str], float] = peak_memory_gib,
) -> Generated:
    """Complete the examples with base and tuned model; measure likelihood and latency.

    The examples are computed in chunks, always the same, so that a run that goes on
    from its journal has the results of an unbroken one.

    Args:
        passes: base and tuned model, as `plan_passes` yields them.
        journal: of this run; finished chunks are taken from it.
        adapter: digest of the weights of the adapter.
        backend: completes the prompts; None: graft's own engine. Likelihoods are
            always computed with the models of the passes.
        check_tuned: called with the tuned model and its adapter's name before they
            generate.
        warnings: sentences on references that no completion can equal.
        name_device: device → its name.
        peak_memory: device → its peak memory in GiB.
    Raises: HardwareError if a single prompt does not fit the device's memory;
        ModelError if the completions are not those of the models of the passes.
    """
    prompts = [to_prompt(example, template, plan.prompt_tokens) for example in examples]
    ids = [prompt.ids for prompt in prompts]
    backend = backend or EngineBackend(template, ids, plan.decoding)
    outputs: dict[str, list[RowOutput]] = {}
    costs: dict[str, GenerationCost] = {}
    latency: dict[str, Latency] = {}
    device = ""
    for models in passes:
        device = str(models.model.device)
        if "tuned" in models.adapters:
            check_tuned(models.model, models.adapters["tuned"])
        backend.check(models)
        runner = ChunkRunner(
            models, backend, examples, ids, plan.decoding.batch_size, journal
        )
        found, seconds = runner.run()
        total = sum(row.num_tokens for rows in found.values() for row in rows)
        for name, rows in found.items():
            outputs[name] = rows
            number = sum(row.num_tokens for row in rows)
            # Models that share batches have the batches' throughput.
            share = seconds * number / max(total, 1)
            costs[name] = GenerationCost(number, share, median(row.ms for row in rows))
        for name, used in models.adapters.items():
            timed = measure_latency(
                models.model,
                template,
                ids,
                used,
                plan.decoding,
                runs=plan.latency_runs,
                warmup_runs=plan.warmup_runs,
            )
            latency |= {name: timed} if timed else {}
    return Generated(
        predictions=_to_predictions(examples, prompts, outputs),
        adapter=adapter,
        decoding=plan.decoding,
        costs=costs,
        latency=latency,
        device=name_device(device),
        memory_gib=peak_memory(device),
        rss_gib=peak_rss_gib(),
        versions={**library_versions(), **backend.versions},
        prompt=template.show(prompts[0].ids),
        warnings=warnings,
    )


def _to_predictions(
    examples: Sequence[HeldOutExample],
    prompts: Sequence[Prompt],
    outputs: Mapping[str, Sequence[RowOutput]],
) -> list[Prediction]:
    rows = zip(examples, prompts, outputs["base"], outputs["tuned"], strict=True)
    return [
        Prediction(
            id=example.id,
            stratum=example.stratum,
            prompt=prompt.text,
            references=prompt.references,
            base=base.text,
            tuned=tuned.text,
            base_nll=base.nll,
            tuned_nll=tuned.nll,
            num_tokens=count_trained_tokens((example.input_ids, example.loss_mask)),
            num_bytes=example.num_bytes,
            group=example.group,
            history=prompt.history,
        )
        for example, prompt, base, tuned in rows
    ]
