"""Models of plain Python, and any model called by ``predict``: MLflow's ``mlflow.pyfunc``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.pyfunc.load_model("models:/wine@champion").predict(frame)                         # doctest: +SKIP
"""

from runfolio.flavors.python_function import PyFuncModel
from runfolio.flavors.python_models import PythonModel, PythonModelContext
from runfolio.flavors.python_saving import add_to_model
from runfolio.flavors.type_hints import TypeFromExample, pyfunc
from runfolio.tracking.pyfunc_models import get_model_dependencies, load_model, log_model, save_model

__all__ = [
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "TypeFromExample",
    "add_to_model",
    "get_model_dependencies",
    "load_model",
    "log_model",
    "pyfunc",
    "save_model",
]
