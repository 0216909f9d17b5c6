"""The default pipeline, broken on purpose: no break may pass.

Each break is made in a copy, whose stages run the copy's code. Passing means that all
stages and what `make verify` checks end well, as they do without a break.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from default_pipeline import Pipeline
from safetensors.torch import load_file, save_file

pytestmark = [
    pytest.mark.slow,
    # MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
TRAINING, INFERENCE = "src/graft/training", "src/graft/inference"
KEPT = (
    "        kept = [table.filter(pa.array(codes == code)) "
    "for code in range(len(SPLITS))]\n"
)
Break = Callable[[Pipeline], None]


@pytest.fixture(name="sound", scope="module")
def _sound(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline that ran without a break, and passed."""
    pipeline = Pipeline.of_repository(tmp_path_factory.mktemp("sound"))
    outcome = pipeline.run()
    assert outcome.end == "passed", outcome.text
    assert pipeline.aliases() == {"challenger", "champion"}
    return pipeline


def code(file: str, old: str, new: str) -> Break:
    """An edit of the copy's code."""
    return lambda pipeline: pipeline.edit(file, old, new)


def params(**changes: object) -> Break:
    """A change of the copy's params.yaml."""
    return lambda pipeline: pipeline.set(**changes)


def shuffle_answers(pipeline: Pipeline) -> None:
    """Give each sentence for training the translation of another."""
    path = pipeline.folder / "data/sample/pairs.jsonl"
    lines = path.read_text("utf-8").split("\n")
    rows = [to_row(line) for line in lines]
    places = [
        at
        for at, row in enumerate(rows)
        if row.get("split") != "test" and row.get("fr") and row.get("en")
    ]
    others = random.Random(0).sample(places, len(places))
    texts = list(lines)
    for at, other in zip(places, others, strict=True):
        texts[at] = json.dumps(rows[at] | {"fr": rows[other]["fr"]}, ensure_ascii=False)
    path.write_text("\n".join(texts), encoding="utf-8")


def to_row(line: str) -> dict[str, str]:
    """A line as a row; an empty one of a line that is none, as the sample has some."""
    try:
        row: dict[str, str] = json.loads(line)
    except ValueError:
        return {}
    return row


def alter_base(pipeline: Pipeline) -> None:
    """Change one weight of the base."""
    path = pipeline.folder / "models/tiny/model.safetensors"
    weights = load_file(path)
    name = next(name for name in weights if "q_proj" in name)
    weights[name] = weights[name] + torch.ones_like(weights[name])
    save_file(weights, path, {"format": "pt"})


def leaking(split: str) -> str:
    """Code that puts a held-out split in place of as many rows of train."""
    held_out = f"kept[{split.upper()}]"
    return (
        f"{KEPT}        kept[0] = pa.concat_tables([kept[0][len({held_out}):], "
        f"{held_out}])\n"
    )


def swap_tokens(pipeline: Pipeline) -> None:
    """Let two frequent tokens change their ids."""
    path = pipeline.folder / "models/tiny/tokenizer.json"
    values = json.loads(path.read_text("utf-8"))
    vocabulary = values["model"]["vocab"]
    first, second = list(vocabulary)[300:302]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    path.write_text(json.dumps(values), encoding="utf-8")


def learn_nothing_and_require_nothing(pipeline: Pipeline) -> None:
    """Turn off every check that a configuration can turn off."""
    pipeline.set(
        train__learning_rate=1e-6,
        train__max_steps=20,
        train__must_learn=False,
        evaluate__requirements=None,
    )


# Name → first stage to run, what is broken, the stage that fails, and what it says.
BREAKS: dict[str, tuple[str, Break, str, str]] = {
    "answers of other sentences": (
        "preflight", shuffle_answers, "evaluate", "falls short of"),
    "a loss mask without the end token": (
        "tokenize",
        code(
            "src/graft/data/tokenize/sequences.py",
            "    for row, problem in find_mask_errors(",
            "    tokens = tokens._replace(loss_mask=tokens.loss_mask & ~np.isin("
            "tokens.input_ids, list(template.stop_ids)))\n"
            "    for row, problem in find_mask_errors(",
        ),
        "tokenize",
        "the end-of-turn token of an answer has no loss",
    ),
    "validation examples in train, too": (
        "split",
        code("src/graft/data/split/splitting.py", KEPT, leaking("validation")),
        "train",
        "examples of the validation split",
    ),
    "test examples in train, too": (
        "split",
        lambda pipeline: (
            pipeline.set(train__max_steps=20),
            pipeline.edit("src/graft/data/split/splitting.py", KEPT, leaking("test")),
        )[0],
        "generate",
        "examples of the test split",
    ),
    "hardly a learning rate": (
        "train", params(train__learning_rate=1e-12, train__max_steps=40),
        "train", "the optimizer left"),
    "a hundredfold learning rate": (
        "train", params(train__learning_rate=0.2), "train", "error: train"),
    "a layer that the optimizer does not have": (
        "train",
        code(f"{TRAINING}/loop.py", "list(self.weights.values()))",
             "list(self.weights.values())[2:])"),
        "train", "optimizer"),
    "attention whose keys get no gradient": (
        "train",
        code(f"{TRAINING}/attention.py", "key.to(value.dtype)\n",
             "key.to(value.dtype).detach()\n"),
        "train", "the gradient of"),
    "a loss mask one token off": (
        "train", code(f"{TRAINING}/batches.py", "to(targets - 1),", "to(targets),"),
        "train", "positions that carry loss"),
    "positions that go on over documents": (
        "train",
        code(f"{TRAINING}/batches.py", "to(positions)[None],",
             "to(np.arange(len(positions)))[None],"),
        "train", "other positions"),
    "training on the answers of the validation split alone": (
        "train",
        code(f"{TRAINING}/session.py", '            self.documents["train"],\n',
             '            self.documents["validation"],\n'),
        "evaluate", "falls short of"),
    "dropout in validation": (
        "train",
        lambda pipeline: (
            pipeline.set(adapter__dropout=0.1),
            pipeline.edit(f"{TRAINING}/dropout.py", "module.training = False",
                          "module.training = True"),
        )[0],
        "train", "two validation passes differ"),
    "an adapter saved as zeros": (
        "train",
        code(f"{TRAINING}/adapter.py", "        model.save_pretrained(partial)\n",
             "        for n, p in model.named_parameters():\n"
             "            p.data.mul_('lora_' not in n)\n"
             "        model.save_pretrained(partial)\n"),
        "generate", "its validation loss is"),
    "an adapter that is not saved": (
        "train",
        lambda pipeline: (
            pipeline.set(train__max_steps=20),
            pipeline.edit(
                "src/graft/stages/train.py",
                "            save_tuned(loop.model, out, facts, model)\n",
                "",
            ),
        )[0],
        "generate",
        "an adapter that the train stage made",
    ),
    "an adapter that is not loaded": (
        "generate",
        code("src/graft/stages/generate.py", "partial(load_tuned, folder=adapter)",
             "(lambda base: base)"),
        "generate", "its validation loss is"),
    "an adapter that no row switches on": (
        "generate",
        code(f"{INFERENCE}/adapters.py", "switch.common == 0", "True"),
        "generate", "its validation loss is"),
    "an adapter that base rows do not switch off": (
        "generate",
        code(f"{INFERENCE}/adapters.py",
             "inner.masked_fill_(switch.off(self._ranks, self._owners), 0)", "pass"),
        "evaluate", "falls short of"),
    "another prompt in evaluation": (
        "generate",
        code(f"{INFERENCE}/held_out_prompts.py",
             "template.encode_prompt(example.messages)\n",
             "template.encode_prompt(example.messages)[:-3]\n"),
        "evaluate", "falls short of"),
    "another base in evaluation": (
        "generate", alter_base, "generate", "not model.revision"),
    "another tokenizer in evaluation": (
        "generate", swap_tokens, "generate", "was trained with prompt template"),
    "answers cut after four tokens": (
        "generate", params(generation__max_new_tokens=4), "evaluate", "falls short of"),
    "references in place of completions": (
        "generate",
        code(f"{INFERENCE}/generate.py", "tuned=tuned.text,",
             "tuned=prompt.references[0],"),
        "certify", "evaluation: 0.0% of answers agree"),
    "no requirement, and nothing learned": (
        "train", learn_nothing_and_require_nothing, "verify", "requirements is 'none'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_pipeline_does_not_pass(
    sound: Pipeline, tmp_path: Path, name: str
) -> None:
    first, spoil, end, told = BREAKS[name]
    broken = sound.copy(tmp_path / "broken")
    spoil(broken)
    outcome = broken.run(first)
    assert (outcome.end, told in outcome.text) == (end, True), outcome.text
    assert end == "verify" or "champion" not in broken.aliases()
