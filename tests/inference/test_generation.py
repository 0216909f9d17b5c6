import copy
import dataclasses

import pytest
import torch
from cut_text import cut
from hypothesis import given
from hypothesis import strategies as st

from graft.errors import HardwareError
from graft.inference import generation
from graft.inference.decoding import pad_left, write_tokens
from graft.inference.generation import (
    Decoding,
    PromptRow,
    complete,
    finished_rows,
)
from graft.inference.results import GenerationCost

GREEDY = Decoding(max_new_tokens=24)
PROMPTS = [list(f"{'x' * (n % 7)} prompt {n}:".encode()) for n in range(21)]


def write(model, template, prompts, decoding) -> list[list[int]]:
    """The tokens of each prompt's completion."""
    rows = [PromptRow(prompt, None, number) for number, prompt in enumerate(prompts)]
    done = {row.row: row for row in finished_rows(model, template, rows, decoding)}
    return [done[number].tokens for number in range(len(prompts))]


def reference(model, prompts, **settings):
    """What transformers' `generate` writes, one prompt at a time."""
    rows = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=24,
            **({"do_sample": False} | settings),
        )
        rows.append(out[0, len(prompt) :].tolist())
    return rows


@pytest.fixture(scope="session")
def greedy_rows(model):
    return reference(model, PROMPTS)


@pytest.mark.parametrize("batch_size", [1, 8, 64])
def test_any_batch_size_writes_what_generate_writes_alone(
    model, template, greedy_rows, batch_size
):
    expected = [cut(template.decode(ids), []) for ids in greedy_rows]
    decoding = dataclasses.replace(GREEDY, batch_size=batch_size)
    found = complete(model, template, PROMPTS, decoding)
    assert found.texts == expected
    assert len(set(found.texts)) > 5, "the random model must not say one thing only"


def test_the_order_of_prompts_is_the_order_of_texts(model, template):
    straight = complete(model, template, PROMPTS, GREEDY).texts
    turned = complete(model, template, PROMPTS[::-1], GREEDY).texts
    assert turned == straight[::-1]


def test_beams_are_those_of_generate(model, template):
    expected = reference(model, PROMPTS[:5], num_beams=3)
    decoding = dataclasses.replace(GREEDY, num_beams=3)
    found = complete(model, template, PROMPTS[:5], decoding)
    assert found.texts == [cut(template.decode(ids), []) for ids in expected]


@pytest.mark.parametrize("num_beams", [1, 3])
def test_defaults_of_the_models_own_generation_config_do_not_leak_in(
    model, template, num_beams
):
    decoding = dataclasses.replace(GREEDY, num_beams=num_beams)
    expected = complete(model, template, PROMPTS[:5], decoding).texts
    other = copy.deepcopy(model)
    other.generation_config.repetition_penalty = 5.0
    other.generation_config.no_repeat_ngram_size = 1
    before = other.generation_config.to_dict()
    assert complete(other, template, PROMPTS[:5], decoding).texts == expected
    assert other.generation_config.to_dict() == before


@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_text_ends_before_its_stop_text(model, template, num_beams):
    free = complete(model, template, PROMPTS, GREEDY).texts
    stop = next(text for text in free if len(text) > 6)[3:5]
    decoding = dataclasses.replace(GREEDY, stop=[stop], num_beams=num_beams)
    texts = complete(model, template, PROMPTS, decoding).texts
    assert not any(stop in text for text in texts)
    if num_beams == 1:
        assert texts == [cut(text, [stop]) for text in free]


@pytest.mark.parametrize("slotted", [True, False])
def test_a_stop_text_ends_its_row_at_its_last_token(
    model, template, monkeypatch, slotted
):
    monkeypatch.setattr(generation, "is_supported", lambda model: slotted)
    free = write(model, template, PROMPTS, GREEDY)
    ends = {next(t for t in row[n:] if t < 128) for n, row in enumerate(free[:9])}
    decoding = dataclasses.replace(GREEDY, stop=list(map(chr, ends)))
    rows = write(model, template, PROMPTS, decoding)
    assert len(set(map(len, rows))) > 3
    for row, whole in zip(rows, free, strict=True):
        first = next((at for at, t in enumerate(whole) if t in ends), len(whole) - 1)
        assert row == whole[: first + 1]


def test_a_row_that_has_ended_is_computed_no_further(model):
    ids, mask = pad_left(PROMPTS, 256, "cpu")
    seen = []

    def ended(tokens):
        seen.append(len(tokens))
        return len(seen) <= 20  # all but one row end at the first look

    written = write_tokens(model, ids, mask, max_new_tokens=12, ended=ended)
    assert sorted(map(len, written)) == [4] * 20 + [12]


def test_sampling_repeats_with_its_seed_and_differs_with_another(model, template):
    warm = dataclasses.replace(GREEDY, temperature=1.0, seed=1)
    one, same = (complete(model, template, PROMPTS, warm).texts for _ in range(2))
    other = complete(model, template, PROMPTS, dataclasses.replace(warm, seed=2)).texts
    assert one == same != other


def test_tokens_and_time_are_counted(model, template, greedy_rows):
    found = complete(model, template, PROMPTS, GREEDY)
    assert found.num_tokens == sum(map(len, greedy_rows))
    assert (
        found.seconds > 0
        and found.latency_ms > 0
        and GenerationCost(
            found.num_tokens, found.seconds, found.latency_ms
        ).tokens_per_s
        > 0
    )
    assert not complete(model, template, [], GREEDY).texts


def test_too_little_memory_for_a_single_prompt_says_to_shorten_it(model, template):
    def full(**_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    small = copy.deepcopy(model)
    small.forward = full
    with pytest.raises(HardwareError, match="lower generation.max_new_tokens, or"):
        complete(small, template, PROMPTS, GREEDY)


def test_rows_go_on_in_fewer_slots_when_memory_runs_out(model, template):
    expected = complete(model, template, PROMPTS, GREEDY).texts
    small, steps = copy.deepcopy(model), []

    def forward(**given):
        rows = len(given["input_ids"])
        steps.append(rows)
        if rows > 6 and len(steps) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return type(model).forward(small, **given)

    small.forward = forward
    assert complete(small, template, PROMPTS, GREEDY).texts == expected
    assert max(steps[:4]) > 6 >= max(steps[8:])


@given(text=st.text(), stop=st.lists(st.text(min_size=1), max_size=3))
def test_a_cut_text_holds_no_stop_text_and_is_a_beginning(text, stop):
    found = cut(text, stop)
    assert not any(end in found for end in stop)
    assert text.lstrip().startswith(found)
