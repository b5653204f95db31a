"""``InputTag``, under the name that MLflow's scripts import: ``mlflow.entities.input_tag``."""

from runfolio.tracking.entities import InputTag

__all__ = ["InputTag"]
