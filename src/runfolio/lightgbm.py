"""LightGBM models: MLflow's ``mlflow.lightgbm``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.lightgbm.log_model(booster, "model", registered_model_name="churn")               # doctest: +SKIP
>>> runfolio.lightgbm.load_model("models:/churn/1")                                            # doctest: +SKIP
>>> runfolio.lightgbm.autolog()                                                                # doctest: +SKIP
"""

from runfolio.autologging.lightgbm import autolog
from runfolio.autologging.loggers.lightgbm import RunfolioCallback
from runfolio.flavors.lightgbm import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

__all__ = ["RunfolioCallback", "autolog", "load_model", "log_model", "save_model"]
