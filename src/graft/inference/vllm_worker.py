"""The program that vLLM's own Python runs: files of requests in, files of answers out.

It imports the standard library and vLLM alone, and runs as a file, not as a module of
graft: `PYTHON -I vllm_worker.py FOLDER`. The folder contains:

- settings.json: arguments of `vllm.LLM`, and the folder of each adapter by its name.
- NAME.requests.jsonl: a request per line, with key, prompt (token ids), adapter (a name
  or null), max_tokens, stop_token_ids, temperature and seed.

For each of these, in the order of their names, it writes NAME.answers.jsonl: an answer
per line, with key, tokens, finish, seconds, and share_s: the duration of all answers of
the file, divided by their number. It ends when its standard input does, so
that it does not outlive a graft that was killed.
"""

import json
import os
import sys
import threading
from pathlib import Path
from time import perf_counter
from typing import Any

SETTINGS, REQUESTS, ANSWERS = "settings.json", ".requests.jsonl", ".answers.jsonl"


def main(folder: Path) -> None:
    """Answer all requests in the folder."""
    # pylint: disable=import-error
    import vllm
    from vllm.lora.request import LoRARequest

    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    adapters = {
        name: LoRARequest(name, number, path)
        for number, (name, path) in enumerate(settings["adapters"].items(), 1)
    }
    # generation_config: no sampling defaults of the model's generation_config.json.
    # disable_log_stats: False, as the times of each request are among the statistics.
    model = vllm.LLM(
        skip_tokenizer_init=True,
        generation_config="vllm",
        trust_remote_code=False,
        disable_log_stats=False,
        **settings["model"],
    )
    for requests in sorted(folder.glob(f"*{REQUESTS}")):
        rows = [json.loads(line) for line in requests.read_bytes().splitlines()]
        start = perf_counter()
        outputs = model.generate(
            [{"prompt_token_ids": row["prompt"]} for row in rows],
            [_sampling(vllm, row) for row in rows],
            # A name that has no adapter is an error, never the base.
            lora_request=[row["adapter"] and adapters[row["adapter"]] for row in rows],
            use_tqdm=False,
        )
        share_s = (perf_counter() - start) / len(rows)
        answers = [
            {
                "key": row["key"],
                "tokens": list(output.outputs[0].token_ids),
                "finish": output.outputs[0].finish_reason,
                "seconds": _seconds(output.metrics),
                "share_s": share_s,
            }
            for row, output in zip(rows, outputs, strict=True)
        ]
        name = requests.name.removesuffix(REQUESTS)
        _write(folder / f"{name}{ANSWERS}", answers)


def _sampling(vllm: Any, row: dict[str, Any]) -> Any:
    names = ("max_tokens", "stop_token_ids", "temperature", "seed")
    return vllm.SamplingParams(
        **{name: row[name] for name in names},
        ignore_eos=True,  # the prompt template names the tokens that end an answer
        detokenize=False,
    )


def _seconds(metrics: Any) -> float:
    """From entering the batch to the last token."""
    return float(metrics.last_token_ts - metrics.scheduled_ts)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """JSON Lines, which appear under this name when they are complete."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _end_with_stdin() -> None:
    """vLLM's processes end when their parent, this one, has ended."""
    # Not through sys.stdin, whose lock Python could not take at its own end.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    main(Path(sys.argv[1]))
