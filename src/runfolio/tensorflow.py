"""TensorFlow's modules and Keras models on TensorFlow: MLflow's ``mlflow.tensorflow``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.tensorflow.log_model(model, "model", registered_model_name="digits")                   # doctest: +SKIP
>>> runfolio.tensorflow.load_model("models:/digits/1").predict(x)                                   # doctest: +SKIP
"""

from runfolio.flavors.tensorflow import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

__all__ = ["load_model", "log_model", "save_model"]
