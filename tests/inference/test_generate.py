"""Prompts of both models, and what they generate."""

import copy
import dataclasses

import pytest

from graft.inference.examples import HeldOutExample
from graft.inference.generate import GenerationPlan, generate, to_prompt
from graft.inference.results import Decoding
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


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_both_models_complete_the_same_prompts_and_the_base_runs_untouched(
    model, template
):
    from peft import LoraConfig, get_peft_model

    def tune(base):
        tuned = get_peft_model(
            copy.deepcopy(base), LoraConfig(target_modules="all-linear")
        )
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=0.5)
        return tuned

    examples = [held_out(number) for number in range(9)]
    plan = dataclasses.replace(PLAN, latency_runs=2, warmup_runs=1)
    same = generate(
        model, lambda base: base, template, examples, PLAN, adapter="a"
    ).predictions
    found = generate(
        model, tune, template, examples, plan, adapter="a1b2", warnings=["cut"]
    )
    rows = found.predictions
    assert [row.base for row in rows] == [row.base for row in same]
    assert all(row.base == row.tuned for row in same)
    assert all(row.base != row.tuned for row in rows)
    assert all(row.base_nll != row.tuned_nll for row in rows)
    assert [row.id for row in rows] == [example.id for example in examples]
    assert [row.group for row in rows] == [example.group for example in examples]
    assert set(dataclasses.asdict(rows[0])) == {
        field.name for field in dataclasses.fields(Prediction)
    }
    assert found.costs["base"].num_tokens > 0 < found.costs["tuned"].tokens_per_s
    assert (found.adapter, found.warnings) == ("a1b2", ["cut"])
    latency = found.latency["tuned"]
    assert latency.runs == 2
    assert 0 < latency.first_token_ms <= latency.p50_ms <= latency.p95_ms
    assert all(row.base_nll == row.tuned_nll for row in same)
    assert all(row.base_nll is not None for row in rows)
