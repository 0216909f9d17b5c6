"""An interpreter with a module `vllm` that generates with transformers and PEFT.

It has the names that `graft.inference.vllm_worker` uses, and really runs the models.
"""

import sys
from pathlib import Path

_MODULE = """
from dataclasses import dataclass
from types import SimpleNamespace

FAULT = {fault!r}


@dataclass
class SamplingParams:
    max_tokens: int
    stop_token_ids: list
    temperature: float
    seed: int
    ignore_eos: bool
    detokenize: bool


class LLM:
    def __init__(self, model, dtype, skip_tokenizer_init, generation_config,
                 trust_remote_code, disable_log_stats, max_model_len, max_num_seqs,
                 enforce_eager, enable_lora=False, max_lora_rank=0, max_loras=0):
        import torch
        from transformers import AutoModelForCausalLM

        assert skip_tokenizer_init and not trust_remote_code
        self.model = AutoModelForCausalLM.from_pretrained(
            model, dtype=getattr(torch, dtype)
        ).eval()
        self.tuned = None
        self.enable_lora, self.max_model_len = enable_lora, max_model_len

    def generate(self, prompts, params, lora_request, use_tqdm):
        if FAULT == "crash":
            raise RuntimeError("no memory for the KV cache")
        rows = [
            self.answer(prompt["prompt_token_ids"], how, lora)
            for prompt, how, lora in zip(prompts, params, lora_request)
        ]
        return rows

    def answer(self, ids, how, lora):
        import torch

        assert len(ids) + how.max_tokens <= self.max_model_len
        if lora and self.tuned is None:
            assert self.enable_lora
            from peft import PeftModel

            self.tuned = PeftModel.from_pretrained(self.model, lora.path).eval()
        without = not lora or FAULT == "no adapter"
        model = self.tuned or self.model
        tokens = []
        from contextlib import nullcontext

        with torch.inference_mode(), (
            self.tuned.disable_adapter() if self.tuned and without else nullcontext()
        ):
            while len(tokens) < how.max_tokens:
                logits = model(torch.tensor([[*ids, *tokens]])).logits[0, -1]
                tokens.append(int(logits.argmax()))
                if tokens[-1] in how.stop_token_ids:
                    break
        if FAULT == "cut":
            tokens = tokens[:1]
        times = SimpleNamespace(scheduled_ts=1.0, last_token_ts=1.5)
        one = SimpleNamespace(token_ids=tokens, finish_reason="length")
        return SimpleNamespace(outputs=[one], metrics=times)
"""
_LORA = """
from dataclasses import dataclass


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str

    @property
    def path(self):
        return self.lora_path
"""
_INTERPRETER = """#!{python}
import runpy, sys

sys.path.insert(0, {folder!r})
assert sys.argv[1] == "-I"
if sys.argv[2] == "-c":
    exec(sys.argv[3])
else:
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


def make_interpreter(folder: Path, fault: str = "") -> str:
    """Write it; returns its path.

    Args:
        folder: to write.
        fault: `crash`, `no adapter` (the base answers for the tuned model), `cut`
            (answers end after one token), or none.
    """
    for name, text in {
        "vllm/__init__.py": _MODULE.format(fault=fault),
        "vllm/lora/__init__.py": "",
        "vllm/lora/request.py": _LORA,
        "vllm-0.0.1.dist-info/METADATA": "Name: vllm\nVersion: 0.0.1\n",
        "vllm-0.0.1.dist-info/top_level.txt": "vllm\n",
        "python": _INTERPRETER.format(python=sys.executable, folder=str(folder)),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "python").chmod(0o755)
    return str(folder / "python")
