"""XGBoost models: MLflow's ``mlflow.xgboost``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.xgboost.log_model(booster, "model", registered_model_name="wine")                 # doctest: +SKIP
>>> runfolio.xgboost.load_model("models:/wine/1")                                              # doctest: +SKIP
>>> runfolio.xgboost.autolog()                                                                 # doctest: +SKIP
"""

from runfolio.autologging.xgboost import autolog
from runfolio.flavors.requirements import defaults
from runfolio.flavors.xgboost import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("xgboost")

__all__ = [
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]


def __getattr__(name: str) -> object:
    # A subclass of XGBoost's: made when it is asked for.
    if name == "RunfolioCallback":
        from runfolio.autologging.loggers.xgboost import callback_class

        return callback_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
