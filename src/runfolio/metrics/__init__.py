"""Metrics for ``extra_metrics`` of ``runfolio.evaluate``: MLflow's ``mlflow.metrics``, as far as they need no network.

>>> rouge1().name
'rouge1'
"""

from runfolio._absent import absent_names as _absent_names
from runfolio.evaluation.metric_values import EvaluationMetric, MetricValue, make_metric
from runfolio.evaluation.ready_metrics import (
    exact_match,
    f1_score,
    latency,
    mae,
    mape,
    max_error,
    mse,
    ndcg_at_k,
    precision_at_k,
    precision_score,
    r2_score,
    recall_at_k,
    recall_score,
    rmse,
    rouge1,
    rouge2,
    rougeL,
    rougeLsum,
)

__all__ = [
    "EvaluationMetric",
    "MetricValue",
    "exact_match",
    "f1_score",
    "latency",
    "mae",
    "make_metric",
    "mape",
    "max_error",
    "mse",
    "ndcg_at_k",
    "precision_at_k",
    "precision_score",
    "r2_score",
    "recall_at_k",
    "recall_score",
    "rmse",
    "rouge1",
    "rouge2",
    "rougeL",
    "rougeLsum",
]

__getattr__ = _absent_names(__name__)
