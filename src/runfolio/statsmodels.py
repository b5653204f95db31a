"""Fitted models of statsmodels: MLflow's ``mlflow.statsmodels``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.statsmodels.log_model(results, "model", registered_model_name="demand")           # doctest: +SKIP
>>> runfolio.statsmodels.load_model("models:/demand/1")                                        # doctest: +SKIP
>>> runfolio.statsmodels.autolog()                                                             # doctest: +SKIP
"""

from runfolio.autologging.statsmodels import autolog
from runfolio.flavors.statsmodels import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

__all__ = ["autolog", "load_model", "log_model", "save_model"]
