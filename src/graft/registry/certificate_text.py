"""A certificate as text."""

from graft import io
from graft.registry.certificate import Certificate


def to_text(made: Certificate, address: str) -> str:
    """The table of all ways."""
    head = ["way", "answers agree", "mean KL", made.metric, ""]
    rows = [
        [
            name,
            "-" if one.agreement is None else f"{one.agreement:.1%}",
            "-" if one.kl is None else f"{one.kl:.2g}",
            "-" if one.metric_difference is None else f"{one.metric_difference:+.2f}",
            one.problem or one.not_run and f"not run: {one.not_run}" or "passed",
        ]
        for name, one in made.ways.items()
    ]
    lines = io.align([head, *rows], right=range(1, 4))
    title = f"{address}: {made.status}, on {made.num_prompts} held-out prompts"
    return "\n".join([title, *lines])
