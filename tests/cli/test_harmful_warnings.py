import importlib
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from graft.cli.harmful_warnings import (
    HARMS,
    HarmfulWarning,
    harmful_warnings_raised,
)

WRITTEN_IN = {
    "None of the inputs have requires_grad=True": "torch.utils.checkpoint",
    "that is different to the input size": "torch.nn.functional",
    "newly initialized because missing from the checkpoint": (
        "transformers.utils.loading_report"
    ),
    "Found missing adapter keys while loading the checkpoint": "peft.peft_model",
    "This will lead to having multiple adapters": "peft.tuners.tuners_utils",
    "Merge lora module to 4-bit linear may get different generations": (
        "peft.tuners.lora.bnb"
    ),
    "This will lead to incorrect tokenization": (
        "transformers.tokenization_utils_tokenizers"
    ),
    "right-padding was detected": "transformers.generation.utils",
    "The attention mask and the pad token id were not set": (
        "transformers.generation.utils"
    ),
}
SHOWN_BELOW = {
    "an autograd kernel was not registered",
    "discards the imaginary part",
    "overflow encountered in cast",
    "invalid value encountered in cast",
}


def test_each_rule_is_shown_by_a_test_or_by_the_library_s_source() -> None:
    assert HARMS.keys() == WRITTEN_IN.keys() | SHOWN_BELOW
    assert all(HARMS.values())


@pytest.mark.parametrize("text", WRITTEN_IN)
def test_a_rule_has_the_words_of_the_installed_library(text: str) -> None:
    module = importlib.import_module(WRITTEN_IN[text])
    assert text in Path(str(module.__file__)).read_text(encoding="utf-8")


def without_backward() -> None:
    library = torch.library.Library("graft_test", "FRAGMENT")
    library.define("double(Tensor x) -> Tensor")
    library.impl("double", lambda x: x * 2, "CPU")
    x = torch.ones(2, requires_grad=True)
    (torch.ops.graft_test.double(x) + x).sum().backward()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("an autograd kernel was not registered", without_backward),
        ("discards the imaginary part", lambda: np.array([1j]).astype(float)),
        ("overflow encountered in cast", lambda: np.array([1e300]).astype("float32")),
        ("invalid value encountered in cast", lambda: np.array([np.nan]).astype(int)),
    ],
)
def test_a_harmful_warning_is_an_error_with_the_reason(text: str, cause: Any) -> None:
    with pytest.raises(HarmfulWarning, match="expected: no such warning") as caught:
        with harmful_warnings_raised():
            cause()
    assert text in str(caught.value)


def test_log_records_of_libraries_are_checked_too() -> None:
    logger = logging.getLogger("transformers.generation.utils")
    with pytest.raises(HarmfulWarning, match="continue after padding"):
        with harmful_warnings_raised():
            logger.warning("A model is used, but right-padding was detected! Oh.")


def test_other_warnings_are_shown_once() -> None:
    program = (
        "import logging, warnings\n"
        "from graft.cli.harmful_warnings import harmful_warnings_raised\n"
        "with harmful_warnings_raised():\n"
        "    owner = logging.getLogger('transformers')\n"
        "    owner.addHandler(logging.StreamHandler())\n"
        "    for _ in range(100):\n"
        "        warnings.warn('slow')\n"
        "        owner.getChild('x').warning('odd')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.count("UserWarning: slow") == 1
    assert done.stderr.count("odd") == 1


def test_filters_and_handlers_are_as_before_afterwards() -> None:
    before = list(warnings.filters), list(logging.getLogger("transformers").handlers)
    with harmful_warnings_raised():
        pass
    after = list(warnings.filters), list(logging.getLogger("transformers").handlers)
    assert before == after
