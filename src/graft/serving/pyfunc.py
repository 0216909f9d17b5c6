"""The model that is registered in MLflow.

The artifact is the adapter's folder. Its graft.json contains base model, prompt and
quantization of training; MLflow's model_config contains the decoding of the evaluation.
Registered versions import this module by its name, so it must not move.
"""

from pathlib import Path
from typing import Any

from mlflow.pyfunc import PythonModel

from graft.config import ModelConfig, PromptConfig, QuantizationConfig
from graft.hardware.device import choose_device
from graft.inference.generation import complete
from graft.inference.results import Decoding
from graft.models.adapter_record import check_record, read_record
from graft.prompts import load_template
from graft.serving.base_folder import find_base
from graft.training.tuning import load_served


# MLflow constructs the object before it calls load_context, and inspects the signature
# of predict.
# pylint: disable=attribute-defined-outside-init,arguments-differ,abstract-method
class AdaptedModel(PythonModel):  # type: ignore[misc]  # mlflow is untyped
    """Completes user texts with the tuned model."""

    def load_context(self, context: Any) -> None:
        """Load the base model of the adapter's record, and the adapter.

        Raises: ModelError if the base is not found, or differs from that of training.
        """
        adapter = Path(context.artifacts["adapter"])
        record = read_record(adapter)
        model = ModelConfig.model_validate(record.params["model"])
        found = find_base(model.path, model.revision)
        model = model.model_copy(update={"path": found})
        prompt = PromptConfig.model_validate(record.params["prompt"])
        quantization = QuantizationConfig.model_validate(record.params["quantization"])
        self.template = load_template(model, prompt)
        check_record(record, adapter, model, self.template.hash)
        self.decoding = Decoding(**context.model_config["decoding"])
        device = choose_device("auto", model, quantization)
        self.model = load_served(model, quantization, device, adapter)

    def predict(self, context: Any, model_input: list[str]) -> list[str]:
        """Complete each text as in the evaluation."""
        prompts = [
            self.template.encode_prompt([{"role": "user", "content": text}])
            for text in model_input
        ]
        return complete(self.model, self.template, prompts, self.decoding).texts
