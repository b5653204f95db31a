"""Models of plain Python, and any model called by ``predict``: MLflow's ``mlflow.pyfunc``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.pyfunc.load_model("models:/wine@champion").predict(frame)                         # doctest: +SKIP
"""

from runfolio._absent import absent_names as _absent_names
from runfolio.flavors.chat_models import ChatModel
from runfolio.flavors.python_function import PyFuncModel
from runfolio.flavors.python_models import PythonModel, PythonModelContext
from runfolio.flavors.python_saving import add_to_model
from runfolio.flavors.requirements import defaults
from runfolio.flavors.type_hints import TypeFromExample, pyfunc
from runfolio.serving.mapping import MappedModel, dask_predict, ray_predict
from runfolio.serving.spark import spark_udf
from runfolio.tracking.pyfunc_models import get_model_dependencies, load_model, log_model, save_model

get_default_pip_requirements, get_default_conda_env = defaults("cloudpickle")

FLAVOR_NAME = "python_function"
"""Of the part of ``MLmodel`` that says how ``predict`` is called: ``info.flavors[runfolio.pyfunc.FLAVOR_NAME]``."""

__all__ = [
    "FLAVOR_NAME",
    "ChatModel",
    "MappedModel",
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "TypeFromExample",
    "add_to_model",
    "dask_predict",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "get_model_dependencies",
    "load_model",
    "log_model",
    "pyfunc",
    "ray_predict",
    "save_model",
    "spark_udf",
]

__getattr__ = _absent_names(__name__)
