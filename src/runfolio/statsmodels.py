"""Fitted models of statsmodels: MLflow's ``mlflow.statsmodels``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.statsmodels.log_model(results, "model", registered_model_name="demand")           # doctest: +SKIP
>>> runfolio.statsmodels.load_model("models:/demand/1")                                        # doctest: +SKIP
>>> runfolio.statsmodels.autolog()                                                             # doctest: +SKIP
"""

from runfolio.autologging.statsmodels import autolog
from runfolio.flavors.requirements import defaults
from runfolio.flavors.statsmodels import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("statsmodels")

__all__ = [
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]
