"""PyTorch and Lightning modules: MLflow's ``mlflow.pytorch``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.pytorch.log_model(net, "model", registered_model_name="digits")                   # doctest: +SKIP
>>> runfolio.pytorch.load_model("models:/digits/1")                                            # doctest: +SKIP
>>> runfolio.pytorch.autolog()                                                                 # doctest: +SKIP
"""

from runfolio.autologging.pytorch import autolog
from runfolio.flavors.mlflow_loading import loaded_for_mlflow as _load_pyfunc  # noqa: F401 # MLflow calls it
from runfolio.flavors.pytorch import load_folder, save_model, save_state_dict
from runfolio.flavors.requirements import defaults
from runfolio.tracking.flavor_models import loads, logs
from runfolio.tracking.torch_states import load_checkpoint, load_state_dict, log_state_dict

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("torch", "cloudpickle")

__all__ = [
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_checkpoint",
    "load_model",
    "load_state_dict",
    "log_model",
    "log_state_dict",
    "save_model",
    "save_state_dict",
]


def __getattr__(name: str) -> object:
    if name in ("RunfolioLogger", "SaveConfigCallback"):
        from runfolio.autologging.lightning_cli import save_config_class
        from runfolio.autologging.loggers.lightning import logger_class

        return logger_class() if name == "RunfolioLogger" else save_config_class()
    # A class of Lightning's: made when it is asked for, since Lightning takes seconds to import.
    if name in ("MlflowModelCheckpointCallback", "MLflowModelCheckpointCallback"):
        from runfolio.autologging.lightning import checkpoint_callback

        return checkpoint_callback()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
