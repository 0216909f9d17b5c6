"""A program that answers with a registered model, as a user of MLflow would.

It imports nothing of graft itself: MLflow puts the version's own code first. Its
argument is a folder for the answers. It loads the libraries, then waits for a line on
stdin with the path of the request; without a line it ends.
"""

import json
import sys
from pathlib import Path


def main(out: Path) -> None:
    """Answer greedily, and write the distributions along the sequences."""
    import importlib

    import numpy as np
    import torch

    pyfunc = importlib.import_module("mlflow.pyfunc")
    for name in ("peft", "transformers"):  # the model would import them later
        importlib.import_module(name)
    request = sys.stdin.readline().strip()
    if not request:
        return
    asked = json.loads(Path(request).read_text("utf-8"))
    model = pyfunc.load_model(asked["folder"])
    texts = model.predict(asked["inputs"], params={"temperature": 0.0})
    (out / "texts.json").write_text(json.dumps(texts), "utf-8")
    inner = model.unwrap_python_model().model
    found = {}
    with torch.inference_mode():
        for row, ids in enumerate(asked["sequences"]):
            start = asked["starts"][row]
            tokens = torch.tensor([ids], device=inner.device)
            logits = inner(input_ids=tokens, use_cache=False).logits[0, start - 1 : -1]
            found[f"row{row}"] = logits.float().log_softmax(-1).cpu().numpy()
    np.savez(out / "logprobs.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
