"""A model of MLflow that answers with its input, as the code of a file."""

ECHO_MODEL = """
import mlflow
from mlflow.pyfunc import PythonModel

class Echo(PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return model_input

mlflow.models.set_model(Echo())
"""
