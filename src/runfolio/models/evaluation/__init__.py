"""Evaluation, under the name that MLflow's scripts import: ``mlflow.models.evaluation``."""

from runfolio.evaluation.artifacts import EvaluationArtifact
from runfolio.evaluation.evaluating import evaluate
from runfolio.evaluation.metric_values import EvaluationMetric, make_metric
from runfolio.evaluation.result import EvaluationResult
from runfolio.evaluation.thresholds import MetricThreshold, validate_evaluation_results

__all__ = [
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "MetricThreshold",
    "evaluate",
    "make_metric",
    "validate_evaluation_results",
]
