"""Type hints of ``predict``, under the name that MLflow's scripts import: ``mlflow.types.type_hints``."""

from runfolio.flavors.type_hints import TypeFromExample

__all__ = ["TypeFromExample"]
