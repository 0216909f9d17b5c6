"""What a reproduction gave, as text."""

from collections.abc import Iterator

from graft.io import align
from graft.registry.reproduce import Reproduction
from graft.registry.reproduce_comparison import MAX_SHOWN


def to_text(found: Reproduction) -> str:
    """The answer first, then what it rests on, a fact a line."""
    return "\n".join(align(list(_lines(found))))


def _lines(found: Reproduction) -> Iterator[tuple[str, str]]:
    texts = found.predictions
    answer = "equal" if found.is_equal else "DIFFERENT"
    if found.is_equal and texts.num_different:
        answer = f"equal within the tolerance of {found.tolerance:.1%} of completions"
    yield found.version, answer
    yield "commit", found.commit
    yield "device", found.devices[1]
    yield "predictions", f"{texts.num_texts - texts.num_different:,} of " + (
        f"{texts.num_texts:,} completions of {texts.num_examples:,} examples are equal"
    )
    if texts.num_different:
        yield "", f"{texts.texts_different:.2%} of completions differ, and " + (
            f"{texts.words_different:.2%} of words come after a difference"
        )
        yield "", f"first ids that differ: {', '.join(texts.different[:MAX_SHOWN])}"
    if texts.missing:
        shown = ", ".join(texts.missing[:MAX_SHOWN])
        yield "", f"{len(texts.missing):,} examples are only in one of them: {shown}"
    if texts.largest_nll_difference is not None:
        most = texts.largest_nll_difference
        yield "likelihoods", f"differ by at most {most:.1e} of their value"
    if found.adapters:
        same = "equal" if len({*found.adapters}) == 1 else "other weights"
        yield "adapter", f"{same}: {' and '.join(dict.fromkeys(found.adapters))}"
    yield "scores", "no differences" if not found.scores else "differ"
    for name, (before, now) in found.scores.items():
        yield "", f"{name}: {before} → {now}"
    for note in found.notes:
        yield "note", note
