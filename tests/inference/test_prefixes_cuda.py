"""On a GPU, the rest of a prompt attends to a beginning that another one stored."""

import pytest
import torch
from small_mistral import small_mistral

from graft.inference.runner import ModelRunner

pytestmark = pytest.mark.gpu
STEM = [(13 * n + n * n) % 251 for n in range(130)]


@pytest.mark.parametrize("window", [None, 50])
def test_logits_are_those_of_each_prompt_alone(window):
    config = {"initializer_range": 0.1, "sliding_window": window}
    model = small_mistral(258, 64, **config).to("cuda", torch.bfloat16).eval()
    prompts = [[*STEM, *range(n, 2 * n)] for n in (1, 3, 40, 7)]
    runner = ModelRunner(model, 4, 256, dense=False)
    with torch.inference_mode(), runner.session(model):
        alone = torch.cat([runner.prefill(0, [one], [None]) for one in prompts])
        together = runner.prefill(0, prompts[:2], [None, None])
        later = runner.prefill(2, prompts[2:], [None, None])
        after = torch.stack([runner.decode(alone.argmax(-1)).clone() for _ in range(3)])
        for number, prompt in enumerate(prompts):
            runner.prefill(0, [prompt], [None])
            one = alone[number : number + 1].argmax(-1)
            plain = torch.stack([runner.decode(one).clone() for _ in range(3)])
            near(after[:, number], plain[:, 0])
    near(torch.cat([together, later]), alone)


def near(found: torch.Tensor, expected: torch.Tensor) -> None:
    difference = (found.float() - expected.float()).norm()
    assert difference <= 0.02 * expected.float().norm()
