"""Thresholds of an evaluation, under the name that MLflow's scripts import: ``mlflow.models.evaluation.validation``."""

from runfolio.evaluation.thresholds import MetricThreshold, ModelValidationFailedException, validate_evaluation_results

__all__ = ["MetricThreshold", "ModelValidationFailedException", "validate_evaluation_results"]
