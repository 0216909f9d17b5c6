"""What both models are asked, and what they answer."""

import copy
import dataclasses

import pytest

from graft.evaluation.asking import Plan, ask_both, to_question
from graft.evaluation.examples import HeldOutExample
from graft.evaluation.generation import Decoding
from graft.evaluation.scoring import Prediction
from graft.records import Message

PLAN = Plan(
    Decoding(max_new_tokens=12, batch_size=4),
    prompt_tokens=3,
    latency_runs=0,
    warmup_runs=0,
    likelihood=False,
)


def held_out(number: int) -> HeldOutExample:
    asked, said = f"cat {number}", f"chat {number}"
    ids = list(f"{asked}:{said}".encode())
    return HeldOutExample(
        id=f"{number:03}",
        group=f"group {number}",
        stratum="all",
        messages=[
            Message(role="user", content=asked),
            Message(role="assistant", content=said),
        ],
        references=[f"minou {number}"],
        input_ids=ids,
        learned=[i > len(asked) for i in range(len(ids))],
        num_bytes=len(said),
    )


def passage(text: str) -> HeldOutExample:
    return dataclasses.replace(
        held_out(0),
        messages=[Message(role="assistant", content=text)],
        references=[],
        input_ids=[0, *text.encode()],
        learned=[False] + [True] * len(text.encode()),
        num_bytes=len(text.encode()),
    )


def test_a_question_is_the_users_and_all_right_answers_count(template):
    question = to_question(held_out(1), template, 3)
    assert question.ids == template.encode_prompt(held_out(1).messages)
    assert (question.text, question.gold) == ("cat 1", ["chat 1", "minou 1"])


def test_a_later_question_has_the_turns_before_it_as_history(template):
    turns = [
        Message(role="system", content="Be brief."),
        Message(role="user", content="Who wrote it?"),
        Message(role="assistant", content="Ann."),
        Message(role="user", content="When?"),
        Message(role="assistant", content="In 1920."),
    ]
    example = dataclasses.replace(held_out(1), messages=turns, references=[])
    question = to_question(example, template, 3)
    assert question.text == "When?" and question.gold == ["In 1920."]
    assert question.history == turns[:3]
    assert not to_question(held_out(1), template, 3).history


@pytest.mark.parametrize(
    ("text", "prompt", "rest"),
    [("abcdefgh", "abc", "defgh"), ("abcd", "ab", "cd"), ("a", "a", "a")],
)
def test_a_text_that_answers_nobody_is_asked_by_its_own_start(
    template, text, prompt, rest
):
    question = to_question(passage(text), template, 3)
    assert question.ids == [0, *prompt.encode()]
    assert (question.text, question.gold) == (prompt, [rest])


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_both_models_answer_the_same_prompts_and_the_base_is_asked_untouched(
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
    plan = dataclasses.replace(PLAN, latency_runs=2, warmup_runs=1, likelihood=True)
    same, _ = ask_both(model, lambda base: base, template, examples, PLAN)
    rows, answers = ask_both(model, tune, template, examples, plan)
    assert [row.base for row in rows] == [row.base for row in same]
    assert all(row.base == row.tuned for row in same)
    assert all(row.base != row.tuned for row in rows)
    assert all(row.base_nll != row.tuned_nll for row in rows)
    assert [row.id for row in rows] == [example.id for example in examples]
    assert [row.group for row in rows] == [example.group for example in examples]
    assert set(dataclasses.asdict(rows[0])) == {
        field.name for field in dataclasses.fields(Prediction)
    }
    assert answers["base"].completions.texts == [row.base for row in rows]
    latency = answers["tuned"].latency
    assert latency is not None and latency.runs == 2
    assert 0 < latency.first_token_ms <= latency.p50_ms <= latency.p95_ms
    assert all(row.base_nll is None for row in same)
