"""The model card: what the adapter is, how it was made, how good it is, how to use."""

from collections.abc import Sequence

import yaml

from graft.evaluation.facts import Facts
from graft.evaluation.front_matter import to_front_matter
from graft.metrics import METRICS
from graft.records import SPLITS, Score

SHOWN_SECTIONS = ("data", "tokenize", "adapter", "quantization", "train")
SHOWN_SAMPLES = 6


def to_card(facts: Facts) -> str:
    """The card's Markdown, with its YAML front matter."""
    front = yaml.safe_dump(to_front_matter(facts), sort_keys=False, allow_unicode=True)
    parts = [
        _summary,
        _results,
        _samples,
        _usage,
        _speed,
        _training,
        _limits,
        _provenance,
    ]
    return f"---\n{front}---\n\n" + "\n\n".join(part(facts) for part in parts) + "\n"


def _summary(facts: Facts) -> str:
    languages = facts.task.languages
    pair = " → ".join(
        languages[key] for key in ("source", "target") if key in languages
    )
    what = facts.task.name.replace("_", " ")
    return (
        f"# {facts.name}\n\n"
        f"A LoRA adapter of `{facts.model.path}` (revision "
        f"`{facts.model.revision}`) for {what}{f' ({pair})' if pair else ''}. "
        f"It was trained on {facts.counts['train']:,} examples and measured on "
        f"{facts.scores.num_examples:,} that it has not seen."
    )


def _results(facts: Facts) -> str:
    scores = facts.scores
    rows = [
        [
            METRICS[name].title,
            with_interval(found.base),
            f"**{with_interval(found.tuned)}**",
            with_interval(found.difference, sign="+"),
            "yes" if found.is_real else "no",
        ]
        for name, found in scores.overall.items()
    ]
    table = _table(["metric", "base", "tuned", "difference", "real"], rows)
    signatures = sorted({found.tuned.signature for found in scores.overall.values()})
    return (
        f"## Results\n\n{table}\n\n"
        f"Base and tuned answer the same {scores.num_examples:,} test prompts by "
        f"{_how(facts)}. In brackets: 95 % bootstrap interval over test examples. The "
        "difference is paired; it is real if its interval leaves out zero. BLEU-n is "
        "cumulative up to n-grams of length n.\n\n"
        + "\n".join(f"- `{signature}`" for signature in signatures if signature)
        + _strata(facts)
    )


def _how(facts: Facts) -> str:
    decoding = facts.decoding
    if decoding.num_beams > 1:
        how = f"beam search over {decoding.num_beams} beams"
    elif decoding.temperature:
        how = f"sampling at temperature {decoding.temperature}, seed {decoding.seed}"
    else:
        how = "greedy decoding"
    return f"{how}, at most {decoding.max_new_tokens} new tokens"


def _strata(facts: Facts) -> str:
    if len(facts.scores.strata) < 2:
        return ""
    name = next(iter(facts.scores.overall))
    rows = [
        [
            stratum,
            f"{number:,}",
            with_interval(c[name].base),
            with_interval(c[name].tuned),
        ]
        for stratum, (number, c) in facts.scores.strata.items()
    ]
    table = _table(["stratum", "examples", "base", "tuned"], rows)
    return f"\n\n{METRICS[name].title} by stratum:\n\n{table}"


def _speed(facts: Facts) -> str:
    rows = [
        [system, f"{cost.tokens_per_s:,.0f}", f"{cost.latency_ms:,.0f}"]
        for system, cost in facts.costs.items()
    ]
    return (
        f"## Speed\n\nOn {facts.device}, in batches of {facts.decoding.batch_size}; "
        f"at most {facts.memory_gib:.2f} GiB of memory were in use.\n\n"
        + _table(["model", "tokens/s", "ms a batch (median)"], rows)
    )


def _samples(facts: Facts) -> str:
    rows = [
        [row.prompt, row.references[0], row.base, row.tuned]
        for row in facts.samples[:SHOWN_SAMPLES]
    ]
    return f"## Samples\n\n{_table(['prompt', 'reference', 'base', 'tuned'], rows)}"


def _usage(facts: Facts) -> str:
    quantization = facts.params.get("quantization", {}).get("method", "none")
    note = ""
    if quantization != "none":
        note = (
            f"\nIt was trained on a base in {quantization.upper()}. Do not merge it "
            "into 4-bit weights, which loses it without an error: merge it into a base "
            "loaded in bfloat16.\n"
        )
    return f"""## Use

By name from the registry, with the prompt template and decoding of this card:

```python
import mlflow

model = mlflow.pyfunc.load_model("models:/{facts.name}@champion")
model.predict(["…"])
```

By PEFT, from the folder of the adapter. The model expects a prompt written so:

```text
{facts.prompt}
```

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained("{facts.model.path}", dtype="auto")
model = PeftModel.from_pretrained(base, "models/adapter")
```
{note}"""


def _training(facts: Facts) -> str:
    rows = [
        [f"{section}.{key}", f"`{value}`"]
        for section in SHOWN_SECTIONS
        for key, value in facts.params.get(section, {}).items()
        if value is not None
    ]
    counts = ", ".join(f"{facts.counts[split]:,} {split}" for split in SPLITS)
    table = _table(["parameter", "value"], rows)
    return f"## Training\n\nExamples: {counts}.\n\n{table}"


def _limits(facts: Facts) -> str:
    return f"""## Limits

- The test examples come from the source of the training examples. The scores say
  nothing of other domains, registers or languages.
- The intervals cover the choice of test examples, not the chance of training: another
  seed gives another adapter.
- N-gram metrics reward the wording of the references. A right answer in other words
  scores low, and a fluent wrong one does not score zero.
- An answer ends after {facts.task.max_new_tokens} tokens, finished or not.
- The base model's own licence, biases and faults hold here too."""


def _provenance(facts: Facts) -> str:
    rows = [[name, f"`{value}`"] for name, value in facts.digests.items()]
    if facts.run_id:
        rows.append(["MLflow run", f"`{facts.run_id}`"])
    versions = [[name, version] for name, version in facts.versions.items()]
    return (
        f"## Provenance\n\n{_table(['what', 'digest'], rows)}\n\n"
        f"{_table(['library', 'version'], versions)}"
    )


def with_interval(score: Score, sign: str = "") -> str:
    """`61.2 [60.1, 62.4]`."""
    low, high = score.low, score.high
    return f"{score.value:{sign}.1f} [{low:{sign}.1f}, {high:{sign}.1f}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; what a cell says cannot break out of it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    text = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= 300 else text[:299] + "…"
