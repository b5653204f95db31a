"""Pipelines of Hugging Face Transformers: MLflow's ``mlflow.transformers``.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.transformers.log_model(pipeline, "model", registered_model_name="mood")           # doctest: +SKIP
>>> runfolio.transformers.load_model("models:/mood/1")(["fine weather"])                       # doctest: +SKIP

Its import makes ``TrainingArguments(report_to="runfolio")`` known.
"""

from runfolio._absent import absent_names as _absent_names
from runfolio.autologging.loggers.transformers import register as _register
from runfolio.autologging.transformers import autolog
from runfolio.flavors.transformers import generate_signature_output, load_folder, save_model
from runfolio.tracking.flavor_models import loads, logs

log_model = logs(save_model)
load_model = loads(load_folder)

__all__ = ["autolog", "generate_signature_output", "load_model", "log_model", "save_model"]

_register()


def __getattr__(name: str) -> object:
    # A subclass of Transformers': made when it is asked for, since Transformers takes seconds to import.
    if name == "RunfolioCallback":
        from runfolio.autologging.loggers.transformers import callback_class

        return callback_class()
    return _absent_names(__name__)(name)
