"""Imports of transformers, bitsandbytes and PEFT without what graft never runs.

At their import these libraries mark functions for torch's compiler, which loads all of
it. They load torch's sharded tensors, and scipy and boto3 for a loss of object
detection and for SageMaker. That is more than half of the processor time of the imports
(docs/LOG.md).
"""

import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

LIBRARIES = ("transformers.modeling_layers", "bitsandbytes", "peft")
UNUSED = ("scipy", "boto3")
"""Packages that these libraries import if they find them."""
_COMPILER = "torch._dynamo"
_INDEXING = f"{_COMPILER}._trace_wrapped_higher_order_op"
_DECORATORS = ("allow_in_graph", "assume_constant_result", "disable")


def import_model_libraries() -> None:
    """Import what loads and adapts models."""
    # At its import it suggests a kernel that would be downloaded.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    with lean_imports():
        for name in LIBRARIES:
            importlib.import_module(name)


@contextmanager
def lean_imports(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Import and build models inside without torch's compiler, unless more of it is
    used than its decorators; these have no effect.

    Args:
        environment: torchrun's `RANK` is in that of one of several processes.
    """
    import torch

    find_spec = importlib.util.find_spec

    def find_used(name: str, package: str | None = None) -> Any:
        return None if name in UNUSED else find_spec(name, package)

    replaced = [
        (torch, "compile", _unchanged),
        (torch.compiler, "disable", _unchanged),
        (importlib.util, "find_spec", find_used),
    ]
    if "RANK" not in environment:
        replaced.append((torch.distributed, "is_available", lambda: False))
    with _without_compiler(), _attributes(replaced):
        yield


def _unchanged(*functions: Callable[..., Any] | None, **_options: Any) -> Any:
    """A decorator without effect, with or without options."""
    return functions[0] if functions else _unchanged


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Let modules with the names that libraries import stand for torch's compiler, if
    it is not loaded. It is loaded as soon as anything else of it is used."""
    compiler, indexing = ModuleType(_COMPILER), ModuleType(_INDEXING)
    stand_ins = {_COMPILER: compiler, _INDEXING: indexing}

    def remove() -> None:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]

    def load(name: str) -> Any:
        if name.startswith("__"):  # inspect looks at all modules
            raise AttributeError(name)
        remove()
        return getattr(importlib.import_module(_COMPILER), name)

    values = dict.fromkeys(_DECORATORS, _unchanged) | {"__getattr__": load}
    vars(compiler).update(values)
    setattr(indexing, "TransformGetItemToIndex", _index_with_compiler)
    if _COMPILER not in sys.modules:
        sys.modules |= stand_ins
    try:
        yield
    finally:
        remove()


def _index_with_compiler() -> Any:
    """torch's TransformGetItemToIndex(), for attention masks that are functions."""
    return importlib.import_module(_INDEXING).TransformGetItemToIndex()


@contextmanager
def _attributes(replaced: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Give attributes of objects another value inside."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
