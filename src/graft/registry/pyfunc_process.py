"""A program that answers with a registered model, as a user of MLflow would.

It imports nothing of graft itself: MLflow puts the version's own code first.
Arguments: the model's folder, the request, a folder for the answers.
"""

import json
import sys
from pathlib import Path


def main(folder: str, request: Path, out: Path) -> None:
    """Answer the chats, and write the distributions along the sequences."""
    import importlib

    import numpy as np
    import torch

    pyfunc = importlib.import_module("mlflow.pyfunc")
    asked = json.loads(request.read_text("utf-8"))
    model = pyfunc.load_model(folder)
    texts = model.predict(asked["chats"])
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
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
