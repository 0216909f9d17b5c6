"""The API of the repository's tiny base model, on a real server in a thread."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from api_server import Running, running
from tiny_server import LoadedModel, load_base, load_served, serving_config

from graft.config import ServingConfig
from graft.inference.generation import complete


@pytest.fixture(scope="session")
def loaded() -> LoadedModel:
    """The tiny base without an adapter."""
    return load_served()


@pytest.fixture(scope="session")
def offline(loaded: LoadedModel) -> Callable[..., str]:
    """What evaluation generates for a user turn, with another copy of the model."""
    model, template = load_base(), loaded.version.template

    def answer(text: str, **changes: Any) -> str:
        decoding = replace(loaded.version.decoding, **changes)
        ids = template.encode_prompt([{"role": "user", "content": text}])
        return complete(model, template, [ids], decoding).texts[0]

    return answer


@pytest.fixture(scope="session")
def serving() -> ServingConfig:
    return serving_config()


@pytest.fixture(scope="module")
def api(loaded: LoadedModel, serving: ServingConfig) -> Iterator[Running]:
    """A server without keys, with the limits of the configuration."""
    with running(loaded, serving) as found:
        yield found
