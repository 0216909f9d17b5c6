"""One request of the API as rows of the engine."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from graft.inference.requests import GenerationRequest, Sampling
from graft.inference.seeds import several
from graft.serving.errors import ApiError
from graft.serving.schemas import ChatRequest, CompletionRequest, TaskRequest
from graft.serving.served_model import ServedVersion

Request = ChatRequest | CompletionRequest | TaskRequest


@dataclass(frozen=True)
class Job:
    """Rows of one request, in the order of their choices.

    Args:
        id: of the answer.
        num_prompt_tokens: of all prompts; each is counted once, whatever `n`.
    """

    id: str
    version: ServedVersion
    requests: Sequence[GenerationRequest]
    num_prompt_tokens: int

    @property
    def num_reserved(self) -> int:
        """Tokens that the rows may need in all."""
        return sum(len(row.prompt) + row.max_new_tokens for row in self.requests)


def to_job(
    key: str,
    version: ServedVersion,
    prompts: Sequence[Sequence[int]],
    body: Request,
    length: int,
    grammar: str | None = None,
) -> Job:
    """The rows of a request.

    Args:
        key: of the answer; unique.
        prompts: token ids.
        length: most tokens of a prompt with its completion.
        grammar: of the answers, as `grammar_of` returns it.
    Raises: ApiError if a prompt is too long.
    """
    sampling = _sampling(version, body)
    rows: list[GenerationRequest] = []
    for number, ids in enumerate(prompts):
        row = GenerationRequest(
            key=(key, number),
            prompt=ids,
            max_new_tokens=_limit(version, len(ids), body.limit, length),
            adapter=version.adapter,
            stop_ids=frozenset(version.template.stop_ids),
            template=version.template,
            stop=[*version.decoding.stop, *body.stop],
            sampling=sampling,
            logprobs=body.num_likely,
            grammar=grammar,
        )
        rows += several(row, body.n or 1)
    return Job(key, version, rows, sum(map(len, prompts)))


def _limit(
    version: ServedVersion, num_prompt: int, wanted: int | None, length: int
) -> int:
    """Most new tokens: those wanted, otherwise those of the evaluation that fit."""
    left = length - num_prompt
    limit = wanted or min(version.decoding.max_new_tokens, left)
    if left < 1 or limit > left:
        name = "max_tokens" if left > 0 else "prompt"
        raise ApiError(
            400,
            f"{name}: the prompt has {num_prompt} tokens, of at most {length} together "
            f"with new ones; {max(limit, 1)} new ones do not fit",
            param=name,
            code="context_length_exceeded",
        )
    return limit


def _sampling(version: ServedVersion, body: Request) -> Sampling:
    temperature = body.temperature
    if temperature is None:
        temperature = version.decoding.temperature
    return Sampling(
        temperature=temperature,
        top_k=body.top_k or 0,
        top_p=1.0 if body.top_p is None else body.top_p,
        min_p=body.min_p or 0.0,
        seed=secrets.randbits(63) if body.seed is None else body.seed,
    )
