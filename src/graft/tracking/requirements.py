"""The packages that a registered model needs, with their versions."""

import re
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, distribution

SERVING = (
    "accelerate",
    "bitsandbytes",
    "jinja2",
    "mistral-common[sentencepiece]",
    "mlflow",
    "model-signing",
    "numpy",
    "peft",
    "polars",
    "pyarrow",
    "pydantic",
    "pyopenssl",
    "regex",
    "torch",
    "tqdm",
    "transformers",
)
"""What `graft.serving.pyfunc` imports, directly or when it loads a model."""
_PINNED_BY_TORCH = re.compile(r"nvidia-.*|cuda-.*|triton")
"""Its wheel of each platform pins these itself; those of this machine would not fit
another."""

Describe = Callable[[str], tuple[str, list[str]]]


def pinned_requirements(
    names: Iterable[str] = SERVING, describe: Describe | None = None
) -> list[str]:
    """These packages and all that they depend on, at the versions installed here.

    They are what `make install` took from requirements.txt. Local labels of versions
    (torch 2.13.0+cpu) are left out, since no index has them.

    Args:
        names: with extras, in brackets.
        describe: name → version and requirements; by default of the installed
            distribution. Raises PackageNotFoundError if there is none.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    describe = describe or _installed
    versions: dict[str, str | None] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    wanted = [Requirement(name) for name in names]
    while wanted:
        one = wanted.pop()
        name, extras = canonicalize_name(one.name), frozenset(one.extras)
        if (name, extras) in seen or _PINNED_BY_TORCH.fullmatch(name):
            continue
        seen.add((name, extras))
        try:
            version, requirements = describe(name)
        except PackageNotFoundError:  # MLflow, on a machine that only trains
            versions[name] = None
            continue
        versions[name] = version.partition("+")[0]
        wanted += [
            needed
            for needed in map(Requirement, requirements)
            if needed.marker is None
            or any(needed.marker.evaluate({"extra": e}) for e in ("", *extras))
        ]
    return [f"{n}=={v}" if v else n for n, v in sorted(versions.items())]


def _installed(name: str) -> tuple[str, list[str]]:
    found = distribution(name)
    return found.version, found.requires or []
