"""How the registered model is logged: its signature and input example, as MLflow shows
them."""

from collections.abc import Mapping
from typing import Any

INPUT_EXAMPLE = ["The little cat sleeps in the red house."]


class UntriedFlavor:
    """MLflow's pyfunc, saved without loading the model to try the input example.

    Registration runs where the model may not fit. Only `Model.log` has a switch for
    it, and it passes the switch on to `save_model`, which rejects it.
    """

    @staticmethod
    def save_model(*, validate_serving_input: bool, **options: Any) -> None:
        """Save with all other options."""
        import mlflow.pyfunc

        assert not validate_serving_input
        mlflow.pyfunc.save_model(**options)


def log_model(
    mlflow: Any,
    *,
    code: str,
    package: str | None,
    model_config: Mapping[str, Any],
    **options: Any,
) -> Any:
    """Log a model from code to the active run.

    Args:
        code: the Python file that defines it.
        package: graft's own code; None: it is installed where the model is loaded.
        model_config: what the model reads when it is loaded.
        options: further arguments of `mlflow.models.Model.log`.
    Returns: MLflow's ModelInfo.
    """
    return mlflow.models.Model.log(
        artifact_path=None,
        name="adapter",
        flavor=UntriedFlavor,
        flavor_name="pyfunc",
        validate_serving_input=False,
        python_model=code,
        code_paths=[package] if package else None,
        model_config=model_config,
        streamable=True,
        **description(model_config.get("decoding")),
        **options,
    )


def description(decoding: Mapping[str, Any] | None) -> dict[str, Any]:
    """Signature and input example as arguments of MLflow; none without decoding."""
    if not decoding:
        return {}
    return {"signature": to_signature(decoding), "input_example": INPUT_EXAMPLE}


def to_signature(decoding: Mapping[str, Any]) -> Any:
    """MLflow's signature: one text or chat a row, a text for each, and the parameters
    of decoding with their defaults.

    A row is a text or a chat, for which MLflow has no common type: `any`. It passes the
    first column of a table.

    Args:
        decoding: of the evaluation; these are the defaults.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, ParamSchema, ParamSpec, Schema

    return ModelSignature(
        inputs=Schema([ColSpec(AnyType())]),
        outputs=Schema([ColSpec("string")]),
        params=ParamSchema(
            [
                ParamSpec("max_new_tokens", "long", decoding["max_new_tokens"]),
                ParamSpec("temperature", "double", float(decoding["temperature"])),
                ParamSpec("top_p", "double", 1.0),
                ParamSpec("top_k", "long", 0),
                ParamSpec("min_p", "double", 0.0),
                ParamSpec("seed", "long", decoding["seed"]),
                ParamSpec("stop", "string", list(decoding["stop"]), (-1,)),
            ]
        ),
    )
