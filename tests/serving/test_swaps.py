"""The champion changes while requests run: real adapters, a real server."""

import threading
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_server import Running, running
from tiny_server import LoadedModel, load_base, serving_config
from waiting import wait_until

from graft.inference.generation import complete
from graft.serving.served_model import ServedVersion

PROMPTS = [f"The cat number {number} sleeps." for number in range(4)]


def save_adapter(folder: Path, seed: int) -> dict[str, str]:
    """Save a random adapter of the tiny base. Returns: its answers to the prompts."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tiny_server import load_served

    loaded = load_served()
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned = get_peft_model(load_base(), LoraConfig(target_modules="all-linear"))
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=0.05)
        tuned.save_pretrained(folder)
    template = loaded.version.template
    turns = [[{"role": "user", "content": text}] for text in PROMPTS]
    ids: list[Any] = [template.encode_prompt(turn) for turn in turns]
    found = complete(tuned.eval(), template, ids, loaded.version.decoding)
    return dict(zip(PROMPTS, found.texts))


class TwoVersions:
    """A registry with two versions of the adapter."""

    def __init__(self, version: ServedVersion, folders: Mapping[str, Path]) -> None:
        self._version, self._folders = version, folders
        self.champion = "1"

    def held(self) -> Mapping[str, str]:
        return {"champion": self.champion} | {n: n for n in self._folders}

    def fetch(self, version: str) -> tuple[ServedVersion, Path]:
        served = replace(self._version, version=version, adapter=version)
        return served, self._folders[version]


@pytest.mark.parametrize("swaps", [10, pytest.param(50, marks=pytest.mark.slow)])
def test_no_request_fails_while_the_champion_changes_and_each_has_one_version(
    loaded: LoadedModel, tmp_path: Path, swaps: int
) -> None:
    folders = {number: tmp_path / number for number in ("1", "2")}
    expected = {n: save_adapter(folder, int(n)) for n, folder in folders.items()}
    assert expected["1"] != expected["2"]
    registry = TwoVersions(loaded.version, folders)
    # The server's engine attaches adapters to a base of its own.
    loaded = replace(loaded, model=load_base())
    serving = serving_config(poll_s=0.05)
    answers: list[tuple[str, str, str]] = []
    ended = threading.Event()

    def ask(api: Running, prompt: str) -> None:
        while not ended.is_set():
            found = api.post("/v1/completions", model="translator", prompt=prompt)
            found.raise_for_status()
            version = found.headers["x-graft-version"].rpartition("/")[2]
            answers.append((version, prompt, found.json()["choices"][0]["text"]))

    with running(loaded, serving, registry=registry) as api:
        clients = [threading.Thread(target=ask, args=(api, text)) for text in PROMPTS]
        for client in clients:
            client.start()
        for swap in range(swaps):
            registry.champion = str(2 - swap % 2)
            wait_for_answer(answers, registry.champion)
        ended.set()
        for client in clients:
            client.join()
    assert {version for version, _, _ in answers} == {"1", "2"}
    wrong = [(v, p, t) for v, p, t in answers if t != expected[v][p]]
    assert not wrong
    assert len(answers) >= swaps


def wait_for_answer(answers: list[tuple[str, str, str]], version: str) -> None:
    """Wait until a version gives an answer that it had not given before."""
    before = len(answers)
    wait_until(lambda: any(found == version for found, _, _ in answers[before:]))
