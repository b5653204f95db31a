"""Keras 3 models: MLflow's ``mlflow.keras``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.keras.log_model(model, "model", registered_model_name="digits")                   # doctest: +SKIP
>>> runfolio.keras.load_model("models:/digits/1").predict(x)                                   # doctest: +SKIP
"""

from runfolio.flavors.keras import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

__all__ = ["load_model", "log_model", "save_model"]
