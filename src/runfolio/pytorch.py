"""PyTorch and Lightning modules: MLflow's ``mlflow.pytorch``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.pytorch.log_model(net, "model", registered_model_name="digits")                   # doctest: +SKIP
>>> runfolio.pytorch.load_model("models:/digits/1")                                            # doctest: +SKIP
"""

from runfolio.flavors.mlflow_loading import loaded_for_mlflow as _load_pyfunc  # noqa: F401 # MLflow calls it
from runfolio.flavors.pytorch import load_folder, save_model, save_state_dict
from runfolio.tracking.flavor_models import loads, logs
from runfolio.tracking.torch_states import load_state_dict, log_state_dict

log_model = logs(save_model)
load_model = loads(load_folder)

__all__ = ["load_model", "load_state_dict", "log_model", "log_state_dict", "save_model", "save_state_dict"]
