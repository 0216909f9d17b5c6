"""Completions by vLLM: computed before graft's own model is in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from tqdm import tqdm

from graft.config import GenerationConfig
from graft.errors import ModelError
from graft.inference.agreement import check_agreement
from graft.inference.backends import Backend, EngineBackend, ModelPass, ModelRow
from graft.inference.chunks import BATCHES_PER_CHUNK
from graft.inference.examples import HeldOutExample
from graft.inference.generation import FinishedRow, PromptRow, to_requests
from graft.inference.held_out_prompts import PromptTemplate, to_prompt
from graft.inference.requests import OpenRow
from graft.inference.results import Decoding
from graft.inference.run_journal import RunJournal
from graft.inference.vllm_process import Answer, run_vllm, vllm_version

Answers = Mapping[ModelRow, Answer]


@dataclass(frozen=True)
class VllmModel:
    """Weights that one process of vLLM loads.

    Args:
        folder: of the model.
        dtype: its name.
        adapters: folder of the adapter of each model by the model's name; None: the
            weights alone.
        max_rank: vLLM's max_lora_rank.
        eager: whether nothing is compiled, nor CUDA graphs are made.
    """

    folder: Path
    dtype: str
    adapters: Mapping[str, Path | None]
    max_rank: int = 1
    eager: bool = False

    def settings(self, max_model_len: int, max_num_seqs: int) -> dict[str, Any]:
        """As `vllm_worker` reads them."""
        folders = {
            name: str(folder.resolve())
            for name, folder in self.adapters.items()
            if folder
        }
        lora = {"enable_lora": True, "max_lora_rank": self.max_rank, "max_loras": 1}
        model = {
            "model": str(self.folder.resolve()),
            "dtype": self.dtype,
            "max_model_len": max_model_len,
            "max_num_seqs": max_num_seqs,
            "enforce_eager": self.eager,
            **(lora if folders else {}),
        }
        return {"model": model, "adapters": folders}


class VllmBackend:
    """Answers of vLLM, cut by graft's own stop rules.

    Args:
        template: decodes tokens.
        prompts: token ids, by place.
        generation: how completions are made, and where vLLM is.
        folder: for files that are exchanged with vLLM.
    Raises: ConfigError if there is no vLLM.
    """

    def __init__(
        self,
        template: PromptTemplate,
        prompts: Sequence[Sequence[int]],
        generation: GenerationConfig,
        folder: Path,
    ) -> None:
        self._template, self._prompts, self._generation = template, prompts, generation
        self._folder = folder
        assert generation.vllm_python is not None
        self._python = generation.vllm_python
        self.versions = {"vllm": vllm_version(self._python)}
        self._decoding = Decoding.of(generation)
        self._greedy = replace(self._decoding, temperature=0.0, num_beams=1)
        number = min(generation.vllm_check_prompts, len(prompts))
        chosen = Random(generation.seed).sample(range(len(prompts)), number)
        self._sample = sorted(chosen)
        self._answers: dict[ModelRow, Answer] = {}
        self._sampled: dict[ModelRow, Answer] = {}

    def run(self, models: Sequence[VllmModel], journal: RunJournal) -> None:
        """Answer all prompts with all models. To be called once, before the others.

        Args:
            models: of all processes, which run one after the other.
            journal: finished chunks are taken from it, and new ones are added.
        Raises: ModelError if vLLM fails, or does not answer each prompt exactly once.
        """
        longest = max(map(len, self._prompts)) + self._generation.max_new_tokens
        for model in models:
            chunks = self._chunks(list(model.adapters))
            missing = {n: c for n, c in chunks.items() if journal.get(n) is None}
            requests = {
                name.replace("/", "-"): self._requests(model, rows, decoding)
                for name, (rows, decoding) in missing.items()
            }
            settings = model.settings(longest, self._generation.batch_size)
            title = f"{' and '.join(model.adapters)} with vLLM"
            total = sum(map(len, requests.values()))
            with tqdm(total=total, desc=title, unit="text", disable=None) as progress:
                found = (
                    run_vllm(self._python, self._folder, settings, requests)
                    if missing
                    else iter(())
                )
                for name, (_, answers) in zip(missing, found, strict=True):
                    self._check_ends(missing[name][0], answers)
                    journal.put(name, answers)
                    progress.update(len(answers))
            for name, (rows, _) in chunks.items():
                answers = [Answer(*values) for values in journal.get(name)]
                kept = self._sampled if name.endswith("/check") else self._answers
                kept |= dict(zip(rows, answers, strict=True))

    def _check_ends(self, rows: Sequence[ModelRow], answers: Sequence[Any]) -> None:
        """Raises: ModelError if an answer ends without a reason; none is kept then."""
        found = dict(zip(rows, (Answer(*one) for one in answers), strict=True))
        for _ in self._finished(found, rows):
            pass

    def _chunks(
        self, names: Sequence[str]
    ) -> dict[str, tuple[list[ModelRow], Decoding]]:
        """Rows and their decoding by the chunk's name, in the order of the names."""
        prefix = f"vllm/{'+'.join(names)}"
        order = sorted(range(len(self._prompts)), key=lambda i: -len(self._prompts[i]))
        size = max(1, BATCHES_PER_CHUNK * self._generation.batch_size // len(names))
        chunks = {
            f"{prefix}/{number:06}": (
                _rows(names, order[first : first + size]),
                self._decoding,
            )
            for number, first in enumerate(range(0, len(order), size))
        }
        chunks[f"{prefix}/check"] = _rows(names, self._sample), self._greedy
        return chunks

    def _requests(
        self, model: VllmModel, rows: Sequence[ModelRow], decoding: Decoding
    ) -> list[dict[str, Any]]:
        prompts = [PromptRow(self._prompts[place], None, place) for _, place in rows]
        asked = to_requests(self._template, prompts, decoding)
        return [
            {
                "key": f"{name}/{place}",
                "prompt": list(request.prompt),
                "adapter": name if model.adapters[name] else None,
                "max_tokens": request.max_new_tokens,
                "stop_token_ids": sorted(request.stop_ids),
                "temperature": request.sampling.temperature,
                "seed": request.sampling.seed % 2**63,  # vLLM's are signed
            }
            for (name, place), request in zip(rows, asked, strict=True)
        ]

    def check(self, models: ModelPass) -> None:
        """Compare greedy answers of a sample with those of graft's own engine.

        Raises: ModelError if too few are equal.
        """
        engine = EngineBackend(self._template, self._prompts, self._greedy)
        rows = _rows(list(models.adapters), self._sample)
        done, _ = engine.complete(models, rows, lambda: None)
        ours = {rows[row.row]: row.tokens for row in done}
        theirs = dict(zip(rows, self._finished(self._sampled, rows), strict=True))
        shown = [self._template.show(self._prompts[place]) for place in self._sample]
        for name in models.adapters:
            share = check_agreement(
                name,
                [ours[name, place] for place in self._sample],
                [theirs[name, place].tokens for place in self._sample],
                shown,
                self._generation.vllm_min_agreement,
            )
            print(f"{name}: {share:.0%} of {len(shown)} answers are as graft's engine")

    def complete(
        self, models: ModelPass, rows: Sequence[ModelRow], update: Callable[[], object]
    ) -> tuple[list[FinishedRow], float]:
        """As `Backend`: the answers of `run`."""
        del models
        done = list(self._finished(self._answers, rows))
        for _ in done:
            update()
        return done, sum(self._answers[row].share_s for row in rows)

    def _finished(
        self, answers: Answers, rows: Sequence[ModelRow]
    ) -> Iterator[FinishedRow]:
        """The answers, cut by graft's rules.

        Raises: ModelError if one ends without a reason.
        """
        prompts = [PromptRow(self._prompts[place], None, place) for _, place in rows]
        asked = to_requests(self._template, prompts, self._decoding)
        for number, (row, request) in enumerate(zip(rows, asked, strict=True)):
            answer = answers[row]
            event = OpenRow(request).extend(answer.tokens)
            if event.finish is None:
                raise ModelError(
                    f"generation.backend=vllm: {answer.key}",
                    f"the answer ends after {len(answer.tokens)} tokens "
                    f"({answer.finish}), without a stop token",
                    expected=f"one, or {request.max_new_tokens} tokens",
                    fix="set generation.backend=engine",
                )
            yield FinishedRow(number, event.tokens, event.text, answer.seconds)


def choose_backend(
    generation: GenerationConfig,
    template: PromptTemplate,
    examples: Sequence[HeldOutExample],
    folder: Path,
) -> Backend:
    """The configured back end for the prompts of the examples; `folder` is for files.

    Raises: ConfigError if there is no vLLM where it is configured.
    """
    prompts = [to_prompt(one, template, generation.prompt_tokens) for one in examples]
    ids = [prompt.ids for prompt in prompts]
    if generation.backend == "vllm":
        return VllmBackend(template, ids, generation, folder)
    return EngineBackend(template, ids, Decoding.of(generation))


def _rows(names: Sequence[str], places: Sequence[int]) -> list[ModelRow]:
    """Rows of an example are neighbours."""
    return [(name, place) for place in places for name in names]
