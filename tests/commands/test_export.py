"""`graft export` on a tiny base and a random adapter, read by other programs."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_pipeline import make_adapter, make_base, make_params, make_splits

from graft.commands.export import PAIRS, run, to_sequences
from graft.config import FullConfig
from graft.config.params import Params
from graft.errors import ConfigError, ModelError, TemplateError
from graft.io import read_json, write_json
from graft.prompts import load_template
from graft.training.base import load_base
from graft.training.tuning import save_tuned, tune

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Params]:
    folder = tmp_path_factory.mktemp("line")
    make_base(folder / "base")
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    params = make_params(values, folder / "base")
    make_adapter(params, folder / "adapter")
    make_splits(folder / "splits")
    return folder, params


def export(line: tuple[Path, Params], to: Path, **changes: Any) -> None:
    folder, params = line
    paths = {"adapter": folder / "adapter", "splits": folder / "splits"}
    flags: dict[str, Any] = {"to": to, "device": "cpu"} | paths | changes
    model, prompt = (flags.pop(name, None) for name in ("model", "prompt"))
    run(
        model or params.model,
        prompt or params.prompt,
        params.generation,
        params.registry,
        **flags,
    )


def write_greedily(model: Any, folder: Path) -> str:
    """What Transformers alone makes of a prompt."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "It is late."}],
        add_generation_prompt=True,
        return_tensors="pt",
    )
    written = model.generate(**ids, max_new_tokens=16, do_sample=False, pad_token_id=0)
    return str(tokenizer.decode(written[0]))


def test_adapter_and_merged_model_write_the_same_in_plain_transformers(
    line: tuple[Path, Params], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    export(line, tmp_path / "adapter")
    export(line, tmp_path / "merged", merge=True)
    told = capsys.readouterr().out
    assert "--enable-lora --max-lora-rank 8 --lora-modules" in told
    assert "ids of training" in told and "NOT as in training" not in told
    base = AutoModelForCausalLM.from_pretrained(line[1].model.path)
    untuned = write_greedily(base, tmp_path / "adapter")
    tuned = PeftModel.from_pretrained(base, tmp_path / "adapter")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    answer = write_greedily(tuned, tmp_path / "adapter")
    assert write_greedily(merged, tmp_path / "merged") == answer != untuned


def test_the_folders_keep_the_record_and_say_what_was_measured(
    line: tuple[Path, Params], tmp_path: Path
) -> None:
    export(line, tmp_path / "adapter")
    export(line, tmp_path / "merged", merge=True)
    record = read_json(line[0] / "adapter" / "graft.json")
    assert read_json(tmp_path / "adapter" / "graft.json") == record
    merged = read_json(tmp_path / "merged" / "graft.json")
    measured = merged.pop("merged")
    assert merged == record
    assert measured["merged"]["difference"] < measured["base"]["difference"] / 100
    assert measured["trained"] is None
    ends = read_json(tmp_path / "merged" / "generation_config.json")["eos_token_id"]
    assert ends == load_template(line[1].model, line[1].prompt).stop_ids[0]


def test_what_was_trained_over_four_bits_is_told_not_to_be_what_was_scored(
    line: tuple[Path, Params], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from shutil import copytree

    adapter = copytree(line[0] / "adapter", tmp_path / "adapter")
    record = read_json(adapter / "graft.json")
    record["params"]["quantization"]["method"] = "nf4"
    write_json(adapter / "graft.json", record)
    export(line, tmp_path / "out", adapter=adapter, merge=True)
    told = capsys.readouterr().out
    assert "nf4 + adapter" in told and "reports/evaluate.json scores it" in told
    assert "The merged model itself was not scored." in told


def test_a_merge_that_fails_its_check_leaves_nothing(
    line: tuple[Path, Params], tmp_path: Path
) -> None:
    from shutil import copytree

    from safetensors.torch import load_file, save_file

    adapter = copytree(line[0] / "adapter", tmp_path / "adapter")
    weights = load_file(adapter / "adapter_model.safetensors")
    for name, weight in weights.items():
        # It moves logits a little, and less than float32 rounds the merged weights.
        weight *= 3e-7 if "lora_B" in name else 1
    save_file(weights, adapter / "adapter_model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="lost in rounding"):
        export(line, tmp_path / "out", adapter=adapter, merge=True)
    assert list(tmp_path.iterdir()) == [adapter]


def test_what_is_there_is_not_overwritten(
    line: tuple[Path, Params], tmp_path: Path
) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(ConfigError, match="exists already"):
        export(line, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_another_base_and_another_prompt_are_refused(
    line: tuple[Path, Params], tmp_path: Path
) -> None:
    params = line[1]
    other = params.model.model_copy(update={"revision": "0123456789abcdef"})
    with pytest.raises(ModelError, match="the adapter was trained on"):
        export(line, tmp_path / "out", model=other)
    changed = params.prompt.model_copy(update={"pattern": "{source}"})
    with pytest.raises(TemplateError, match="was trained with prompt template"):
        export(line, tmp_path / "out", prompt=changed)
    assert not list(tmp_path.iterdir())


def test_a_dora_adapter_is_written_and_the_output_warns_that_vllm_does_not_support_it(
    line: tuple[Path, Params], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from shutil import copytree

    adapter = copytree(line[0] / "adapter", tmp_path / "adapter")
    config = read_json(adapter / "adapter_config.json") | {"use_dora": True}
    write_json(adapter / "adapter_config.json", config)
    export(line, tmp_path / "out", adapter=adapter)
    told = capsys.readouterr().out
    assert "vLLM does not support DoRA" in told and "vllm serve" not in told


def test_without_a_test_split_sentences_are_compared(
    line: tuple[Path, Params], tmp_path: Path
) -> None:
    template = load_template(line[1].model, line[1].prompt)
    sequences = to_sequences(tmp_path / "test", template)
    assert len(sequences) == len(PAIRS)
    assert PAIRS[0][1] in template.decode(sequences[0])
    assert to_sequences(line[0] / "splits" / "test", template) == [[1, 2], [1, 2]]


def test_a_model_that_was_trained_whole_is_copied_with_its_prompt(
    line: tuple[Path, Params], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoModelForCausalLM

    _, params = line
    record = read_json(line[0] / "adapter" / "graft.json")
    base = load_base(params.model, params.quantization, "cpu", "packed")
    full = FullConfig(method="full", freeze_layers=0)
    model = tune(base, full, params.train, checkpointing=False)
    save_tuned(model, tmp_path / "tuned", record, params.model)

    export(line, tmp_path / "out", adapter=tmp_path / "tuned")
    assert "ids of training" in capsys.readouterr().out
    assert read_json(tmp_path / "out" / "graft.json") == record
    alone = AutoModelForCausalLM.from_pretrained(params.model.path)
    copied = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    told = write_greedily(copied, tmp_path / "out")
    assert told == write_greedily(alone, tmp_path / "out")
    with pytest.raises(ModelError, match="no adapter to merge"):
        export(line, tmp_path / "merged", adapter=tmp_path / "tuned", merge=True)
    assert not (tmp_path / "merged").exists()
