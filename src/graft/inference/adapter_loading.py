"""Adapters that are loaded into a model beside others, and taken out of it."""

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch

from graft.errors import ModelError, RequestError
from graft.inference.adapters import (
    check_adapters,
    number_adapters,
    switchable_adapters,
    tuned_modules,
)

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""The files of an adapter that PEFT has saved."""


@dataclass(frozen=True)
class AdapterFiles:
    """An adapter that has been read, but belongs to no model yet.

    Args:
        where: its folder.
        config: PEFT's.
        weights: by PEFT's names, in host memory.
    """

    where: str
    config: Any
    weights: dict[str, torch.Tensor]


def read_adapter(folder: Path) -> AdapterFiles:
    """Read an adapter.

    Raises: ModelError if there is none, or it is more than LoRA matrices: tokens cannot
        switch biases, DoRA's norms or copies of modules.
    """
    from peft import LoraConfig, PeftConfig
    from safetensors.torch import load_file

    where, expected = str(folder), "a LoRA adapter, as PEFT saves it"
    if missing := [n for n in (CONFIG, WEIGHTS) if not (folder / n).is_file()]:
        raise ModelError(
            where,
            f"lacks {' and '.join(missing)}",
            expected=expected,
            fix="name the folder of an adapter",
        )
    config, weights = PeftConfig.from_pretrained(where), load_file(folder / WEIGHTS)
    simple = isinstance(config, LoraConfig) and not config.layer_replication
    kinds = {".".join(name.rsplit(".", 2)[1:]) for name in weights}
    if not simple or kinds != {"lora_A.weight", "lora_B.weight"}:
        raise _not_switchable(where)
    return AdapterFiles(where, config, weights)


class LoadedAdapters:
    """The adapters of transformers' model, by the names that requests use.

    A name that is added again stands for another adapter of the model, so that rows
    which still use the first keep it.
    """

    def __init__(self, owner: Any) -> None:
        self._owner = owner
        self._own: dict[str | None, str | None] = {
            name: name for name in number_adapters(owner)
        }
        self.removed: set[str | None] = set()
        """The model's names of adapters that take no more rows."""

    def find(self, name: str | None) -> str | None:
        """The model's name. Raises: RequestError for an unknown one."""
        check_adapters([name], self._own)
        return self._own[name]

    def add(self, name: str, files: AdapterFiles) -> None:
        """Raises: RequestError if the name is in use; see `attach`."""
        if name in self._own:
            raise RequestError(
                f"adapter {name}",
                "there is one with this name",
                fix="remove it first, or choose another name",
            )
        present = number_adapters(self._owner)
        own = next(n for i in count() if (n := f"added_{i}") not in present)
        attach(self._owner, own, files)
        self._own[name] = own

    def remove(self, name: str) -> None:
        """Take no more rows. Raises: RequestError for an unknown name."""
        self.removed.add(self.find(name))
        del self._own[name]

    def free_unused(self, used: Collection[str | None]) -> bool:
        """Take removed adapters out of the model, but those in use; whether any was."""
        unused = self.removed.difference(used)
        for own in unused:
            detach(self._owner, str(own))
        self.removed -= unused
        return bool(unused)


def attach(owner: Any, name: str, files: AdapterFiles) -> None:
    """Load an adapter into transformers' model, switched off as PEFT computes.

    Args:
        name: that no adapter of the model has.
    Raises: ModelError if it does not fit, or rows cannot switch it. The model is
        then as before.
    """
    from peft import inject_adapter_in_model, set_peft_model_state_dict

    active = next((m.active_adapters for m in tuned_modules(owner)), list[str]())
    known = getattr(owner, "peft_config", None)
    try:
        with warnings.catch_warnings():
            # The layers of other adapters have a config of their own.
            warnings.filterwarnings("ignore", "Already found a `peft_config`")
            inject_adapter_in_model(files.config, owner, name, low_cpu_mem_usage=True)
            loaded = set_peft_model_state_dict(
                owner, dict(files.weights), name, low_cpu_mem_usage=True
            )
        if loaded.unexpected_keys or any(map(_is_unfilled, _weights_of(owner, name))):
            raise ValueError("its layers are not those of the base")
    except (RuntimeError, ValueError) as error:
        detach(owner, name)
        raise ModelError(
            files.where,
            f"the adapter does not fit this base: {str(error).splitlines()[0]}",
            expected="the base that the adapter was trained on",
            fix="load it into that base, or train again",
        ) from error
    finally:
        owner.peft_config = known
        if known is None:
            del owner.peft_config
        for module in tuned_modules(owner):
            module.set_adapter(active, inference_mode=True)
    if switchable_adapters(owner) is None:
        detach(owner, name)
        raise _not_switchable(files.where)


def detach(owner: Any, name: str) -> None:
    """Take an adapter out of transformers' model, and free its memory."""
    for module in tuned_modules(owner):
        others = [other for other in module.active_adapters if other != name]
        module.set_adapter(others, inference_mode=True)
        module.delete_adapter(name)


def _weights_of(owner: Any, name: str) -> list[Any]:
    return [w for path, w in owner.named_parameters() if f".{name}." in path]


def _is_unfilled(weight: Any) -> bool:
    return bool(weight.is_meta)


def _not_switchable(where: str) -> ModelError:
    return ModelError(
        where,
        "rows cannot switch this adapter on and off",
        expected="LoRA matrices of linear layers alone: no DoRA, no biases, no "
        "trained copies of modules",
        fix="serve this version alone",
    )
