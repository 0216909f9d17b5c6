"""Prompts of both models, and what they generate."""

import copy
import dataclasses
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from graft.errors import ModelError
from graft.inference.examples import HeldOutExample
from graft.inference.generate import GenerationPlan, generate, plan_passes
from graft.inference.generated import Generated
from graft.inference.generation import complete
from graft.inference.held_out_prompts import to_prompt
from graft.inference.results import Decoding
from graft.inference.run_journal import RunJournal
from graft.records import Message, Prediction

PLAN = GenerationPlan(
    Decoding(max_new_tokens=12, batch_size=4),
    prompt_tokens=3,
    latency_runs=0,
    warmup_runs=0,
)


def held_out(number: int) -> HeldOutExample:
    asked, said = f"cat {number}", f"chat {number}"
    ids = list(f"{asked}:{said}".encode())
    return HeldOutExample(
        id=f"{number:03}",
        where=f"file:{number}",
        group=f"group {number}",
        stratum="all",
        messages=[
            Message(role="user", content=asked),
            Message(role="assistant", content=said),
        ],
        references=[f"minou {number}"],
        input_ids=ids,
        loss_mask=[i > len(asked) for i in range(len(ids))],
        num_bytes=len(said),
    )


def passage(text: str) -> HeldOutExample:
    return dataclasses.replace(
        held_out(0),
        messages=[Message(role="assistant", content=text)],
        references=[],
        input_ids=[0, *text.encode()],
        loss_mask=[False] + [True] * len(text.encode()),
        num_bytes=len(text.encode()),
    )


def test_a_prompt_is_the_users_and_all_references_count(template):
    prompt = to_prompt(held_out(1), template, 3)
    assert prompt.ids == template.encode_prompt(held_out(1).messages)
    assert (prompt.text, prompt.references) == ("cat 1", ["chat 1", "minou 1"])


def test_a_later_prompt_has_the_turns_before_it_as_history(template):
    turns = [
        Message(role="system", content="Be brief."),
        Message(role="user", content="Who wrote it?"),
        Message(role="assistant", content="Ann."),
        Message(role="user", content="When?"),
        Message(role="assistant", content="In 1920."),
    ]
    example = dataclasses.replace(held_out(1), messages=turns, references=[])
    prompt = to_prompt(example, template, 3)
    assert prompt.text == "When?" and prompt.references == ["In 1920."]
    assert prompt.history == turns[:3]
    assert not to_prompt(held_out(1), template, 3).history


@pytest.mark.parametrize(
    ("text", "prompt", "rest"),
    [("abcdefgh", "abc", "defgh"), ("abcd", "ab", "cd"), ("a", "a", "a")],
)
def test_a_text_without_a_user_turn_is_prompted_with_its_own_start(
    template, text, prompt, rest
):
    found = to_prompt(passage(text), template, 3)
    assert found.ids == [0, *prompt.encode()]
    assert (found.text, found.references) == (prompt, [rest])


def tune(base: Any) -> Any:
    """A copy of the base with an adapter that changes its answers."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(target_modules="all-linear")
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned = get_peft_model(copy.deepcopy(base), config).eval()
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.5)
    return tuned


@pytest.fixture
def journal(tmp_path: Path) -> RunJournal:
    return RunJournal(tmp_path / "journal.jsonl", "run")


EXAMPLES = [held_out(number) for number in range(9)]


def run(model: Any, template: Any, journal: RunJournal, **changes: Any) -> Generated:
    values = {"plan": PLAN, "tune": tune, "keeps_base": True} | changes
    plan = values.pop("plan")
    passes = plan_passes(
        model, values.pop("tune"), plan.decoding, keeps_base=values.pop("keeps_base")
    )
    return generate(passes, template, EXAMPLES, plan, journal, adapter="a1b2", **values)


def texts(model: Any, template: Any, of: Any) -> list[str]:
    prompts = [to_prompt(example, template, 3).ids for example in EXAMPLES]
    return complete(of(model), template, prompts, PLAN.decoding).texts


def test_each_example_has_the_answers_of_both_models(model, template, journal):
    plan = dataclasses.replace(PLAN, latency_runs=2, warmup_runs=1)
    found = run(model, template, journal, plan=plan, warnings=["cut"])
    rows = found.predictions
    assert [row.base for row in rows] == texts(model, template, lambda base: base)
    assert [row.tuned for row in rows] == texts(model, template, tune)
    assert all(row.base != row.tuned for row in rows)
    assert all(row.base_nll != row.tuned_nll for row in rows)
    assert [row.id for row in rows] == [example.id for example in EXAMPLES]
    assert [row.group for row in rows] == [example.group for example in EXAMPLES]
    assert set(dataclasses.asdict(rows[0])) == {
        field.name for field in dataclasses.fields(Prediction)
    }
    assert found.costs["base"].num_tokens > 0 < found.costs["tuned"].tokens_per_s
    assert (found.adapter, found.warnings) == ("a1b2", ["cut"])
    for name in ("base", "tuned"):
        latency = found.latency[name]
        assert latency.runs == 2
        assert 0 < latency.first_token_ms <= latency.p50_ms <= latency.p95_ms


def in_two_passes(base: Any) -> Any:
    """As `tune`, but with an adapter that rows cannot switch."""
    tuned = tune(base)
    for module in tuned.modules():
        if hasattr(module, "lora_B"):
            linear = module.lora_B["default"]
            linear.bias = torch.nn.Parameter(torch.zeros(linear.out_features))
    return tuned


@pytest.mark.parametrize(
    ("changes", "num_passes"),
    [
        ({}, 1),
        ({"tune": in_two_passes}, 2),
        ({"keeps_base": False}, 2),
    ],
)
def test_one_pass_and_two_give_the_same_answers(
    model, template, journal, changes, num_passes
):
    passes = list(
        plan_passes(
            model,
            changes.get("tune", tune),
            PLAN.decoding,
            keeps_base=changes.get("keeps_base", True),
        )
    )
    assert len(passes) == num_passes
    rows = run(model, template, journal, **changes).predictions
    assert [row.base for row in rows] == texts(model, template, lambda base: base)
    assert [row.tuned for row in rows] == texts(model, template, tune)


def test_the_tuned_model_is_checked_before_it_generates(model, template, journal):
    def check(tuned: Any, adapter: str | None) -> None:
        assert adapter == "default" and hasattr(tuned, "peft_config")
        raise ModelError("adapter", "its validation loss is 9")

    with pytest.raises(ModelError, match="validation loss is 9"):
        run(model, template, journal, check_tuned=check)
    assert len(journal) == 0


class Killed(Exception):
    """Stands for a signal that ends the process."""


@pytest.mark.parametrize("after", range(4))
def test_a_run_that_was_killed_goes_on_to_the_same_predictions(
    model, template, tmp_path, monkeypatch, after
):
    small = dataclasses.replace(PLAN.decoding, batch_size=1)  # chunks of 4 examples
    plan = dataclasses.replace(PLAN, decoding=small)
    whole = run(model, template, RunJournal(tmp_path / "whole", "run"), plan=plan)
    path, put = tmp_path / "broken", RunJournal.put

    def put_or_die(self, name, part):
        if len(self) == after:
            raise Killed
        put(self, name, part)

    monkeypatch.setattr(RunJournal, "put", put_or_die)
    with pytest.raises(Killed) if after < 3 else nullcontext():
        run(model, template, RunJournal(path, "run"), plan=plan)
    monkeypatch.undo()
    journal = RunJournal(path, "run")
    assert len(journal) == after
    assert run(model, template, journal, plan=plan).predictions == whole.predictions
