"""Pipelines of Hugging Face Transformers: MLflow's ``mlflow.transformers``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.transformers.log_model(pipeline, "model", registered_model_name="mood")           # doctest: +SKIP
>>> runfolio.transformers.load_model("models:/mood/1")(["fine weather"])                       # doctest: +SKIP
"""

from runfolio.autologging.transformers import autolog
from runfolio.flavors.transformers import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

__all__ = ["autolog", "load_model", "log_model", "save_model"]
