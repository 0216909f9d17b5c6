"""Whether another back end gives the greedy answers of graft's own engine."""

from collections.abc import Sequence

from graft.errors import ModelError


def check_agreement(
    model: str,
    ours: Sequence[Sequence[int]],
    theirs: Sequence[Sequence[int]],
    prompts: Sequence[str],
    min_agreement: float,
) -> float:
    """The share of answers that are equal, token for token.

    Rounding alone makes some differ, where two tokens are about equally likely. A wrong
    adapter, base, dtype or prompt makes most of them differ.

    Args:
        model: `base` or `tuned`.
        ours, theirs: tokens of each answer. Shape [answers, tokens].
        prompts: as a reader sees them. Shape [answers].
        min_agreement: the smallest share that is accepted.
    Raises: ModelError if the share is lower.
    """
    differing = [
        place
        for place, pair in enumerate(zip(ours, theirs, strict=True))
        if list(pair[0]) != list(pair[1])
    ]
    share = 1 - len(differing) / len(ours)
    if share < min_agreement:
        first = differing[0]
        at = _first_difference(ours[first], theirs[first])
        raise ModelError(
            "generation.backend=vllm",
            f"{len(ours) - len(differing)} of {len(ours)} greedy answers of the "
            f"{model} model ({share:.0%}) are those of graft's engine. The first that "
            f"differs, from token {at}: prompt {prompts[first]!r}, graft "
            f"{list(ours[first][at:][:4])}, vLLM {list(theirs[first][at:][:4])}",
            expected=f"at least {min_agreement:.0%} (generation.vllm_min_agreement)",
            fix="use another version of vLLM or set generation.backend=engine; if only "
            "rounding differs (bfloat16), lower generation.vllm_min_agreement",
        )
    return share


def _first_difference(one: Sequence[int], other: Sequence[int]) -> int:
    """The place of the first token that differs, or that only one of them has."""
    pairs = zip(one, other)
    common = min(len(one), len(other))
    return next((at for at, (a, b) in enumerate(pairs) if a != b), common)
