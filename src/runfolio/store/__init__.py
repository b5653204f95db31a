"""What scripts import from ``mlflow.store``: artifacts by their address, and pages of a search."""

from runfolio.store import artifact, entities

__all__ = ["artifact", "entities"]
