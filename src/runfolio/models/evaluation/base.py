"""Evaluation, under the name that MLflow's scripts import: ``mlflow.models.evaluation.base``."""

from runfolio.evaluation.artifacts import EvaluationArtifact
from runfolio.evaluation.evaluating import evaluate
from runfolio.evaluation.metric_values import EvaluationMetric, make_metric
from runfolio.evaluation.result import EvaluationResult

__all__ = ["EvaluationArtifact", "EvaluationMetric", "EvaluationResult", "evaluate", "make_metric"]
