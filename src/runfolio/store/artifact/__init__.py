"""Artifacts by their address, under the name that MLflow's scripts import: ``mlflow.store.artifact``."""

from runfolio.store.artifact import artifact_repository_registry, models_artifact_repo, runs_artifact_repo

__all__ = ["artifact_repository_registry", "models_artifact_repo", "runs_artifact_repo"]
