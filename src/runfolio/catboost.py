"""CatBoost models: MLflow's ``mlflow.catboost``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.catboost.log_model(model, "model", registered_model_name="churn")                 # doctest: +SKIP
>>> runfolio.catboost.load_model("models:/churn/1")                                            # doctest: +SKIP
>>> runfolio.catboost.autolog()                                                                # doctest: +SKIP
"""

from runfolio.autologging.catboost import autolog
from runfolio.autologging.loggers.catboost import RunfolioCallback
from runfolio.flavors.catboost import load_folder, save_model
from runfolio.flavors.requirements import defaults
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("catboost")

__all__ = [
    "RunfolioCallback",
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]
