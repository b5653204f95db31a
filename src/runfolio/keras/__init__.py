"""Keras 3 models: MLflow's ``mlflow.keras``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.keras.log_model(model, "model", registered_model_name="digits")                   # doctest: +SKIP
>>> runfolio.keras.load_model("models:/digits/1").predict(x)                                   # doctest: +SKIP
>>> runfolio.keras.autolog()                                                                   # doctest: +SKIP
"""

from runfolio.autologging.keras import PREFIX as _PREFIX
from runfolio.autologging.keras import autolog
from runfolio.flavors.keras import load_folder, save_model
from runfolio.flavors.requirements import defaults
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("keras")

__all__ = [
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]


def __getattr__(name: str) -> object:
    # Classes of Keras': made when they are asked for, since Keras takes seconds to import.
    if name in ("MlflowCallback", "MLflowCallback"):
        from runfolio.autologging.keras_callbacks import user_callback

        return user_callback("keras", _PREFIX)
    if name == "RunfolioCallback":
        from runfolio.autologging.loggers.keras import callback_class

        return callback_class(_PREFIX)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
