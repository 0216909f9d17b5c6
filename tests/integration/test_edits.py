"""Which stages DVC runs again after an edit, asked of DVC in a copy.

The stages but `code` are replaced by commands that write new outputs whenever they run.
"""

import re
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

pytestmark = pytest.mark.filterwarnings("ignore")  # of DVC
ROOT = Path(__file__).parents[2]
EVALUATE = {"evaluate", "certify"}
PROFILE = {"profile", *EVALUATE}
GENERATE = {"generate", *EVALUATE}
AFTER_TRAIN = {"train", *GENERATE}
AFTER_SPLIT = {"split", *PROFILE, *AFTER_TRAIN}
AFTER_TOKENIZE = {"tokenize", *AFTER_SPLIT}
ALL = {"convert", "preprocess", "validate", *AFTER_TOKENIZE}

Edit = Callable[[Path], None]


def stand_in(name: str, stage: dict[str, object]) -> dict[str, object]:
    """A stage that notes its name, and writes what it never wrote before."""
    if name == "code":
        return stage
    outs = [
        path
        for kind in ("outs", "metrics")
        for item in stage.get(kind, [])  # type: ignore[attr-defined]
        for path in ([item] if isinstance(item, str) else item)
    ]
    write = [f"mkdir -p $(dirname {out}) && date +%s%N > {out}" for out in outs]
    if name == "preflight":  # writes the same whenever it passes
        write = [f"mkdir -p data && echo passed > {outs[0]}"]
    return stage | {"cmd": " && ".join([f"echo {name} >> ran.txt", *write])}


@pytest.fixture(name="repo", scope="module")
def _repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repo")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__*"
                    "pycache__"))  # fmt: skip
    document = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))
    stages = document["stages"]
    stages = {name: stand_in(name, stage) for name, stage in stages.items()}
    text = yaml.safe_dump({"stages": stages}, sort_keys=False)
    (folder / "dvc.yaml").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copy(ROOT / ".dvcignore", folder)
    (folder / "data/sample").mkdir(parents=True)
    (folder / "data/sample/pairs.jsonl").write_text("{}\n", encoding="utf-8")
    (folder / "decisions").mkdir()
    Repo.init(str(folder), no_scm=True).close()
    assert rerun(folder) == ALL | {"preflight"}
    return folder


def rerun(folder: Path) -> set[str]:
    """The stages but `code` that `dvc repro` runs, here without a process of its own,
    whose imports take longer than the rest."""
    ran = folder / "ran.txt"
    ran.write_text("", encoding="utf-8")
    with chdir(folder), Repo() as repo:
        repo.reproduce()
    return set(ran.read_text("utf-8").split())


def code(name: str, old: str, new: str) -> Edit:
    """An edit of a file below src/graft; `old` is a pattern."""

    def edit(folder: Path) -> None:
        path = folder / "src/graft" / name
        text, count = re.subn(old, new, path.read_text("utf-8"), count=1)
        assert count
        path.write_text(text, encoding="utf-8")

    return edit


def param(key: str, value: object) -> Edit:
    """A change of params.yaml."""

    def edit(folder: Path) -> None:
        path = folder / "params.yaml"
        values = place = yaml.safe_load(path.read_text("utf-8"))
        *way, last = key.split(".")
        for step in way:
            place = place[step]
        assert place[last] != value
        place[last] = value
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

    return edit


EDITS: dict[str, tuple[Edit, set[str]]] = {
    "nothing": (lambda folder: None, set()),
    "a docstring of training": (
        code("training/loop.py", '"""The', '"""This is the'),
        set(),
    ),
    "a comment of a prompt": (
        code("prompts/pattern.py", "\nimport", "\n# why\nimport"),
        set(),
    ),
    "the table of GPUs": (code("hardware/gpus.py", r"\Z", "\nNEW = 1\n"), set()),
    "a progress bar": (code("io/progress.py", "rows", "lines"), set()),
    "a help text": (code("cli/__init__.py", "no progress bars", "no bars"), set()),
    "the style sheet": (
        code("evaluation/page/style.css", r"\Z", "p {}\n"),
        EVALUATE,
    ),
    "a metric": (code("metrics/bleu.py", r"\Z", "\nNEW = 1\n"), EVALUATE),
    "the training loop": (code("training/loop.py", r"\Z", "\nNEW = 1\n"), AFTER_TRAIN),
    "the registered name": (param("registry.name", "other"), EVALUATE),
    "the gate": (param("registry.gate.min_gain", 0.5), {"certify"}),
    "a rule of the gate": (
        code("registry/gate.py", r"\Z", "\nNEW = 1\n"),
        {"certify"},
    ),
    "a budget of the certificate": (
        param("certificate.num_prompts", 8),
        {"certify"},
    ),
    "the lineage": (code("registry/lineage.py", r"\Z", "\nNEW = 1\n"), set()),
    "the port of the API": (param("serving.port", 9000), set()),
    "the tracking store": (
        param("registry.tracking_uri", "sqlite:///x.db"),
        EVALUATE,
    ),
    "a requirement": (param("evaluate.requirements", None), EVALUATE),
    "a metric's docstring": (code("metrics/bleu.py", '"""', '"""Now: '), set()),
    "another metric of the task": (
        param("evaluate.metrics", ["bleu", "chrf"]),
        EVALUATE,
    ),
    "the bootstrap": (param("evaluate.num_resamples", 500), EVALUATE),
    "the model card": (
        code("evaluation/card/card.md.jinja", "Licence of", "The licence of"),
        EVALUATE,
    ),
    "a figure of the page": (
        code("evaluation/page/figures.py", r"\Z", "\nNEW = 1\n"),
        EVALUATE,
    ),
    "the licence of the data": (param("data.license", "mit"), EVALUATE),
    "the licence of the base": (param("model.license", "bsd"), EVALUATE),
    "the name of the data": (param("data.name", "other"), EVALUATE),
    "a language of the card": (
        param("task.languages", {"source": "de", "target": "fr"}),
        EVALUATE,
    ),
    "a stop text": (param("generation.stop", ["###"]), GENERATE),
    "the longest completion": (param("generation.max_new_tokens", 16), GENERATE),
    "the batch size of generation": (param("generation.batch_size", 8), GENERATE),
    "the number of latency runs": (param("generation.latency_runs", 3), GENERATE),
    "the generation engine": (
        code("inference/generation.py", r"\Z", "\nNEW = 1\n"),
        GENERATE,
    ),
    "a feature of drift": (
        code("monitoring/features.py", r"\Z", "\nNEW = 1\n"),
        PROFILE,
    ),
    "the test of drift": (
        code("monitoring/drift/permutation.py", r"\Z", "\nNEW = 1\n"),
        set(),
    ),
    "planning": (code("planning/memory.py", r"\Z", "\nNEW = 1\n"), set()),
    "an option of a command": (
        code("commands/compare.py", r"\Z", "\nNEW = 1\n"),
        set(),
    ),
    "the engine of the data stages": (param("engine.name", "ray"), set()),
    "the learning rate": (param("train.learning_rate", 1e-4), AFTER_TRAIN),
    "the rank": (param("adapter.rank", 4), AFTER_TRAIN),
    "the prompt": (param("prompt.pattern", "{source}="), AFTER_TOKENIZE),
    "which answers are trained": (
        param("tokenize.trained_answers", "last"),
        AFTER_TOKENIZE,
    ),
    "the seed of the splits": (param("split.seed", 1), AFTER_SPLIT),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reruns_what_it_can_change_and_nothing_else(
    repo: Path, name: str
) -> None:
    edit, expected = EDITS[name]
    edit(repo)
    assert rerun(repo) - {"preflight"} == expected
