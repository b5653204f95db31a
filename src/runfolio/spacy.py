"""Pipelines of spaCy: MLflow's ``mlflow.spacy``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.spacy.log_model(nlp, "model", registered_model_name="tickets")                    # doctest: +SKIP
>>> runfolio.spacy.load_model("models:/tickets/1")                                             # doctest: +SKIP
>>> runfolio.spacy.autolog()                                                                   # doctest: +SKIP
"""

from runfolio.autologging.spacy import autolog
from runfolio.flavors.requirements import defaults
from runfolio.flavors.spacy import load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

get_default_pip_requirements, get_default_conda_env = defaults("spacy")

__all__ = [
    "autolog",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]
