"""Values of a metric, under the name that MLflow's scripts import: ``mlflow.metrics.base``."""

from runfolio.evaluation.metric_values import EvaluationMetric, MetricValue, standard_aggregations

__all__ = ["EvaluationMetric", "MetricValue", "standard_aggregations"]
