"""scikit-learn models: MLflow's ``mlflow.sklearn``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.sklearn.log_model(forest, "model", registered_model_name="wine")                  # doctest: +SKIP
>>> runfolio.sklearn.load_model("models:/wine/1")                                              # doctest: +SKIP
>>> runfolio.sklearn.autolog()                                                                 # doctest: +SKIP
"""

from runfolio.autologging.scikit_learn.integration import autolog
from runfolio.flavors.requirements import defaults
from runfolio.flavors.scikit_learn import (
    SERIALIZATION_FORMAT_CLOUDPICKLE,
    SERIALIZATION_FORMAT_PICKLE,
    SUPPORTED_SERIALIZATION_FORMATS,
    save_model,
)
from runfolio.tracking.sklearn_models import load_model, log_model

get_default_pip_requirements, get_default_conda_env = defaults("scikit-learn")

__all__ = [
    "SERIALIZATION_FORMAT_CLOUDPICKLE",
    "SERIALIZATION_FORMAT_PICKLE",
    "SUPPORTED_SERIALIZATION_FORMATS",
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]
