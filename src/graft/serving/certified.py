"""Open a registered version for its certificate."""

from pathlib import Path

import yaml

from graft.config import ModelConfig, PromptConfig, QuantizationConfig, ServingConfig
from graft.hardware.device import choose_device
from graft.inference.results import Decoding
from graft.models.adapter_record import check_record, read_record
from graft.prompts import load_template
from graft.registry.certificate_ways import CertifiedVersion
from graft.serving.base_folder import find_base
from graft.serving.integrity import check_adapter, check_base_tokenizer
from graft.tracking.versions import ADAPTER


def open_version(folder: Path, serving: ServingConfig) -> CertifiedVersion:
    """Check the files of a version, and find its base; no weights are loaded.

    Raises: ModelError or TemplateError if a file, the base or the template differs.
    """
    described = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
    settings = described["flavors"]["python_function"]["config"]
    adapter = folder / ADAPTER
    check_adapter(adapter, settings)
    record = read_record(adapter)
    model = ModelConfig.model_validate(record.params["model"])
    found = find_base(model.path, model.revision)
    model = model.model_copy(update={"path": found})
    check_base_tokenizer(model, settings)
    prompt = PromptConfig.model_validate(record.params["prompt"])
    quantization = QuantizationConfig.model_validate(record.params["quantization"])
    template = load_template(model, prompt)
    check_record(record, adapter, model, template.hash)
    return CertifiedVersion(
        folder=folder,
        adapter=adapter,
        model=model,
        prompt=prompt,
        quantization=quantization,
        template=template,
        decoding=Decoding(**settings["decoding"]),
        device=choose_device(serving.device, model, quantization),
        slots=serving.slots,
        length=serving.max_context_tokens,
    )
