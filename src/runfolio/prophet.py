"""Prophet's forecasters: MLflow's ``mlflow.prophet``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.prophet.log_model(forecaster, "model", registered_model_name="demand")            # doctest: +SKIP
>>> runfolio.prophet.load_model("models:/demand/1")                                            # doctest: +SKIP
>>> runfolio.prophet.autolog()                                                                 # doctest: +SKIP
"""

from runfolio.autologging.prophet import autolog
from runfolio.flavors.prophet import load_folder, save_model
from runfolio.flavors.requirements import defaults
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("prophet")

__all__ = [
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]
