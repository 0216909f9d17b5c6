"""The file that is stored with a registered version; MLflow executes it to load it."""

import mlflow

from graft.serving.pyfunc import AdaptedModel

mlflow.models.set_model(AdaptedModel())
