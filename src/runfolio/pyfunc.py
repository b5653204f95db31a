"""Models of plain Python, and any model called by ``predict``: MLflow's ``mlflow.pyfunc``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.pyfunc.load_model("models:/wine@champion").predict(frame)                         # doctest: +SKIP
"""

from runfolio.flavors.python_function import PyFuncModel, save_model
from runfolio.flavors.python_models import PythonModel, PythonModelContext
from runfolio.tracking.pyfunc_models import load_model, log_model

__all__ = ["PyFuncModel", "PythonModel", "PythonModelContext", "load_model", "log_model", "save_model"]
