"""Open a registered version for its certificate."""

from pathlib import Path

from graft.config import GenerationConfig, ServingConfig
from graft.hardware.device import choose_device
from graft.registry.certificate_ways import CertifiedVersion
from graft.serving.checked_version import (
    check_version,
    opens_documents,
    read_settings,
)
from graft.tracking.versions import ADAPTER


def open_version(
    folder: Path, generation: GenerationConfig, serving: ServingConfig
) -> CertifiedVersion:
    """Check the files of a version, and find its base; no weights are loaded.

    Args:
        folder: MLflow's, as downloaded.
        generation: the device, as stage generate chooses it.
        serving: the batch of `graft serve`.
    Raises: ModelError or TemplateError if a file, the base or the template differs.
    """
    checked = check_version(folder / ADAPTER, read_settings(folder))
    base = checked.base
    return CertifiedVersion(
        folder=folder,
        adapter=checked.adapter,
        model=base.model,
        prompt=base.prompt,
        quantization=base.quantization,
        template=checked.template,
        decoding=checked.decoding,
        device=choose_device(generation.device, base.model, base.quantization),
        slots=serving.slots,
        length=serving.max_context_tokens,
        opens_documents=opens_documents(checked.task),
    )
