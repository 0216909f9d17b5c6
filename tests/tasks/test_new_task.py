"""docs/NEW_TASK.md is a task that keeps the contract, in as much as it says."""

import re
from pathlib import Path

import pytest
import test_tasks
import yaml

from graft import metrics
from graft.config import DataConfig
from graft.config.params import check_params
from graft.metrics import statistics
from graft.tasks import TASKS, Task

ROOT = Path(__file__).parents[2]
PLAIN = yaml.safe_load(
    (ROOT / "configs/prompt/default.yaml").read_text(encoding="utf-8")
)
PAGE = (ROOT / "docs/NEW_TASK.md").read_text(encoding="utf-8")
CONTRACT = [
    test_tasks.test_the_demo_row_has_the_fields_and_no_other,
    test_tasks.test_the_conversation_ends_with_an_answer_and_repeats,
    test_tasks.test_every_field_is_part_of_the_conversation,
    test_tasks.test_the_metrics_exist,
    test_tasks.test_a_missing_or_misspelt_field_is_a_config_error,
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(name="task")
def written_task() -> Task:
    module: dict[str, Task] = {}
    exec(blocks("python")[0], module)  # pylint: disable=exec-used # our own page
    return module["SUMMARY"]


@pytest.mark.parametrize("claim", CONTRACT, ids=lambda claim: claim.__name__)
def test_the_pages_task_keeps_the_contract(claim, task: Task) -> None:
    claim(task)


def test_the_pages_task_is_new_and_its_yaml_and_source_fit_it(task: Task) -> None:
    assert task.name not in TASKS
    asked, source = map(yaml.safe_load, blocks("yaml"))
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["evaluate"]["requirements"] = None
    changed = {name: values[name] | asked.get(name, {}) for name in values}
    config = check_params(changed | {"prompt": PLAIN | asked["prompt"]}, "the page")
    assert config.task.name == task.name
    assert tuple(config.evaluate.metrics) == task.metrics
    assert source.pop("defaults") == ["base", "_self_"]
    base = yaml.safe_load((ROOT / "configs/data/base.yaml").read_text(encoding="utf-8"))
    task.check_fields(DataConfig.model_validate(base | source).fields)


def test_the_pages_metric_scores_with_an_interval() -> None:
    names = dict(vars(statistics))
    exec(blocks("python")[1], names)  # pylint: disable=exec-used # our own page
    segments = metrics.Segments(["a b", "a " * 40], [["a"], ["a"]], ["", ""])
    assert names["SHORT"].score(segments, metrics.resample(2, 100, 0)).value == 50
