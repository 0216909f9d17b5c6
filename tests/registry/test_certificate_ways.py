"""The ways of using a version, on a model of a few kilobytes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.torch import load_file, save_file
from tiny_pipeline import PAIRS, make_adapter, make_base, make_params

from graft.config import BudgetConfig
from graft.exporting import merging
from graft.inference.results import Decoding
from graft.prompts import load_template
from graft.records import Message
from graft.registry.certificate import WayAnswers, WayReport, judge, make_certificate
from graft.registry.certificate_ways import CertifiedVersion, Ways

BUDGET = BudgetConfig(min_agreement=1, max_kl=1e-4, max_metric_difference=0)
CHATS = [[Message(role="user", content=text)] for pair in PAIRS for text in pair]
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> CertifiedVersion:
    root = tmp_path_factory.mktemp("version")
    make_base(root / "base")
    params = make_params(
        yaml.safe_load(Path("params.yaml").read_bytes()), root / "base"
    )
    make_adapter(params, root / "adapter")
    return CertifiedVersion(
        folder=root,
        adapter=root / "adapter",
        model=params.model,
        prompt=params.prompt,
        quantization=params.quantization,
        template=load_template(params.model, params.prompt),
        decoding=Decoding(max_new_tokens=8),
        device="cpu",
        slots=2,
        length=128,
    )


@pytest.fixture(scope="module")
def evaluated(
    version: CertifiedVersion, tmp_path_factory: pytest.TempPathFactory
) -> Ways:
    """What was scored."""
    ways = Ways(version, CHATS, 8, tmp_path_factory.mktemp("evaluated"))
    assert len(set(ways.generated[0])) > 1 and ways.reference
    return ways


def report(evaluated: Ways, run: Callable[[], WayAnswers]) -> WayReport:
    made = make_certificate(
        "1",
        "none",
        evaluated.generated[0],
        evaluated.reference,
        {"way": run},
        {"way": BUDGET},
        lambda _: 0.0,
    )
    return made.ways["way"]


@pytest.mark.parametrize("way", ["evaluation", "api", "adapter", "merged"])
def test_every_way_of_a_sound_version_answers_as_evaluated(
    way: str, version: CertifiedVersion, evaluated: Ways, tmp_path: Path
):
    ways = Ways(version, CHATS, 8, tmp_path)
    found = report(evaluated, getattr(ways, way))
    assert found.problem == ""
    assert found.num_places > len(CHATS)


@pytest.mark.parametrize("way", ["evaluation", "api", "adapter", "merged"])
def test_other_weights_than_the_evaluated_fail_every_way(
    way: str, version: CertifiedVersion, evaluated: Ways, tmp_path: Path
):
    """As if digests and signature had been renewed after the change."""
    import shutil

    adapter = shutil.copytree(version.adapter, tmp_path / "other")
    file = adapter / "adapter_model.safetensors"
    weights = {name: -one for name, one in load_file(file).items() if "lora_B" in name}
    save_file(load_file(file) | weights, file)
    ways = Ways(replace(version, adapter=adapter), CHATS, 8, tmp_path)
    assert report(evaluated, getattr(ways, way)).problem


def test_a_merge_into_4_bits_is_refused_with_its_reason(
    version: CertifiedVersion,
    evaluated: Ways,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    merge = merging.merge

    def coarse(tuned: Any, dtype: Any) -> Any:
        merged = merge(tuned, dtype)
        for name, weight in merged.named_parameters():
            if name.endswith("proj.weight"):
                weight.data = dequantize_4bit(*quantize_4bit(weight.data))
        return merged

    monkeypatch.setattr(merging, "merge", coarse)
    found = report(evaluated, Ways(version, CHATS, 8, tmp_path).merged)
    assert "the merged model differs" in found.problem


def test_another_stop_text_or_limit_changes_the_agreement(
    version: CertifiedVersion, evaluated: Ways, tmp_path: Path
):
    texts, reference = evaluated.generated[0], evaluated.reference
    check = partial(judge, texts, reference, metric_difference=0.0, budget=BUDGET)
    for changes in ({"max_new_tokens": 2}, {"stop": (texts[0][1],)}):
        other = replace(version, decoding=replace(version.decoding, **changes))
        answers = Ways(other, CHATS, 8, tmp_path).api()
        assert "of answers agree" in check(answers).problem
