"""Models of plain Python, under the name that MLflow's scripts import: ``mlflow.pyfunc.model``."""

from runfolio.flavors.chat_models import ChatModel
from runfolio.flavors.python_models import PythonModel, PythonModelContext

__all__ = ["ChatModel", "PythonModel", "PythonModelContext"]
