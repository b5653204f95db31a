"""ONNX graphs: MLflow's ``mlflow.onnx``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.onnx.log_model(graph, "model", registered_model_name="wine")                      # doctest: +SKIP
>>> runfolio.onnx.load_model("models:/wine/1")                                                 # doctest: +SKIP
"""

from runfolio.flavors.onnx import load_folder, save_model
from runfolio.flavors.requirements import defaults
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("onnx", "onnxruntime")

__all__ = [
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]
