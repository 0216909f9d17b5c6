"""A base model, an adapter and splits of a few kilobytes, as the pipeline's outputs."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from small_mistral import small_mistral

from graft.config.params import Params, check_params
from graft.io import write_batches, write_json
from graft.models.files import model_digest
from graft.prompts import load_template
from graft.records import SEQUENCE_SCHEMA, SPLITS

PAIRS = (("The cat sleeps.", "Le chat dort."), ("It is late.", "Il est tard."))


def make_base(folder: Path) -> None:
    """Write a random Mistral model with a byte-level tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    names = ["<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=259,
        special_tokens=names,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["text"], trainer)
    base = small_mistral(259, bos_token_id=1, eos_token_id=2)
    base.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = dict(zip(("unk_token", "bos_token", "eos_token"), names, strict=True))
    (folder / "tokenizer_config.json").write_text(json.dumps(special))


def make_params(values: dict, base: Path) -> Params:
    """The repository's parameters with this base model, in float32."""
    values["model"] |= {
        "path": str(base),
        "revision": model_digest(base),
        "num_parameters": 100_000,
        "dtype": "float32",
    }
    values["quantization"] |= {"method": "none", "double_quant": False}
    values["generation"] |= {"max_new_tokens": 16, "device": "cpu"}
    values["evaluate"]["num_resamples"] = 100
    values["registry"]["tracking_uri"] = f"sqlite:///{base.parent}/mlflow.db"
    return check_params(values, "params")


def make_adapter(params: Params, folder: Path) -> None:
    """Write an adapter as if trained: its random weights change the answers."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(params.model.path)
    tuned = get_peft_model(base, LoraConfig(target_modules="all-linear"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.5)
    record = {
        "base_path": params.model.path,
        "base_revision": params.model.revision,
        "template_hash": load_template(params.model, params.prompt).hash,
        "run_id": None,
        "machine": {"device": "a device", "memory_gib": 1.0, "seconds": 60.0},
        "params": params.model_dump(mode="json", by_alias=True),
    }
    tuned.save_pretrained(folder)
    write_json(folder / "graft.json", record)


def make_splits(folder: Path, pairs: Sequence[tuple[str, str]] = PAIRS) -> None:
    """Write the same few sentences to every split, under different ids."""
    rows = [
        {
            "id": f"{number}",
            "messages": [
                {"role": "user", "content": english},
                {"role": "assistant", "content": french},
            ],
            "references": [],
            "group": f"{number}",
            "stratum": "all",
            "split": None,
            "where": f"pairs:{number}",
            "input_ids": [1, 2],
            "loss_mask": [False, True],
            "num_bytes": 1,
            "augmented": False,
        }
        for number, (english, french) in enumerate(pairs)
    ]
    for split in SPLITS:
        own = [row | {"id": f"{row['id']}{'' if split == 'test' else split}"}
               for row in rows]  # fmt: skip
        table = pa.Table.from_pylist(own, schema=SEQUENCE_SCHEMA)
        write_batches(folder / split, [table], SEQUENCE_SCHEMA)


def make_train_report(params: Params, adapter: Path, path: Path) -> None:
    """Write train's report: the loss of the adapter on the sequences of a split."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(params.model.path)
    with torch.no_grad():
        logits = PeftModel.from_pretrained(base, adapter)(torch.tensor([[1]])).logits
    loss = -float(logits[0, 0].log_softmax(-1)[2])
    write_json(path, {"validation_loss": round(loss, 4)})
