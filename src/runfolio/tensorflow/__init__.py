"""TensorFlow's modules and Keras models on TensorFlow: MLflow's ``mlflow.tensorflow``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.tensorflow.log_model(model, "model", registered_model_name="digits")                   # doctest: +SKIP
>>> runfolio.tensorflow.load_model("models:/digits/1").predict(x)                                   # doctest: +SKIP
>>> runfolio.tensorflow.autolog()                                                                   # doctest: +SKIP
"""

from runfolio.autologging.tensorflow import PREFIX as _PREFIX
from runfolio.autologging.tensorflow import autolog
from runfolio.flavors.requirements import defaults
from runfolio.flavors.tensorflow import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs
from runfolio.tracking.keras_states import load_checkpoint

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("tensorflow")

__all__ = [
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_checkpoint",
    "load_model",
    "log_model",
    "save_model",
]


def __getattr__(name: str) -> object:
    # Classes of Keras': made when they are asked for, since Keras takes seconds to import.
    if name in ("MlflowCallback", "MLflowCallback"):
        from runfolio.autologging.keras_callbacks import user_callback

        return user_callback("tensorflow", _PREFIX)
    if name == "MlflowModelCheckpointCallback":
        from runfolio.autologging.keras_callbacks import user_checkpoint_callback

        return user_checkpoint_callback()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
