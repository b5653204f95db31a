"""LightGBM models: MLflow's ``mlflow.lightgbm``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.lightgbm.log_model(booster, "model", registered_model_name="churn")               # doctest: +SKIP
>>> runfolio.lightgbm.load_model("models:/churn/1")                                            # doctest: +SKIP
>>> runfolio.lightgbm.autolog()                                                                # doctest: +SKIP
"""

from runfolio.autologging.lightgbm import autolog
from runfolio.autologging.loggers.lightgbm import RunfolioCallback
from runfolio.flavors.lightgbm import load_folder, save_model
from runfolio.flavors.requirements import defaults
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("lightgbm")

__all__ = [
    "RunfolioCallback",
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]
