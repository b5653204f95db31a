"""Metrics that are ready to use as ``extra_metrics``: MLflow's ``mlflow.metrics``, as far as they need no network.

Not here: ``toxicity`` and ``bleu`` (their code and models are fetched), ``token_count`` (its vocabulary is), ``flesch_kincaid_grade_level``
and ``ari_grade_level`` (of the package textstat), and the judges of ``mlflow.metrics.genai`` (a language model's service).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from runfolio.errors import UsageError
from runfolio.evaluation.classification import sklearn_metrics
from runfolio.evaluation.metric_values import EvaluationMetric, MetricValue, make_metric, standard_aggregations
from runfolio.evaluation.retrieval import ndcg_of, precision_of, recall_of
from runfolio.evaluation.rouge import rouge_l, rouge_lsum, rouge_n

_log = logging.getLogger("runfolio")
LATENCY = "latency"


def latency() -> EvaluationMetric:
    """Return the metric of seconds a row: each row is predicted on its own."""
    return make_metric(eval_fn=MetricValue, greater_is_better=False, name=LATENCY)


def exact_match() -> EvaluationMetric:
    """Return the metric of answers that are just what was wanted."""

    def exact_match(predictions: Any, targets: Any = None, sample_weight: Any = None) -> Any:
        if targets is None or not len(targets):
            return None
        value = sklearn_metrics().accuracy_score(list(targets), list(predictions), sample_weight=sample_weight)
        return MetricValue(aggregate_results={"exact_match": float(value)})

    return make_metric(eval_fn=exact_match, greater_is_better=True, version="v1")


def _by_text(name: str, score: Callable[[str, str], float]) -> EvaluationMetric:
    def compute(predictions: Any, targets: Any = None) -> Any:
        if not _are_texts(name, targets) or not _are_texts(name, predictions):
            return None
        scores = [score(wanted, said) for wanted, said in zip(targets, predictions, strict=True)]
        return MetricValue(scores=scores, aggregate_results=standard_aggregations(scores))

    return make_metric(eval_fn=compute, greater_is_better=True, name=name, version="v1")


def _are_texts(name: str, values: Any) -> bool:
    if values is not None and len(values) and all(isinstance(value, str) for value in values):
        return True
    _log.warning("%s is not computed: it is of texts, and some of these are none.", name)
    return False


def rouge1() -> EvaluationMetric:
    """Return ROUGE-1: shared words."""
    return _by_text("rouge1", lambda wanted, said: rouge_n(wanted, said, 1))


def rouge2() -> EvaluationMetric:
    """Return ROUGE-2: shared pairs of words."""
    return _by_text("rouge2", lambda wanted, said: rouge_n(wanted, said, 2))


def rougeL() -> EvaluationMetric:  # noqa: N802 # MLflow's name
    """Return ROUGE-L: the longest common subsequence of words."""
    return _by_text("rougeL", rouge_l)


def rougeLsum() -> EvaluationMetric:  # noqa: N802 # MLflow's name
    """Return ROUGE-Lsum: the longest common subsequences line by line."""
    return _by_text("rougeLsum", rouge_lsum)


def _of_first(name: str, k: int, score: Callable[[Any, Any, int], float]) -> EvaluationMetric:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise UsageError(f"{name}_at_k: k is a whole number from 1, not {k!r}.")

    def compute(predictions: Any, targets: Any) -> Any:
        for values in (predictions, targets):
            if values is None or any(isinstance(value, str) or not hasattr(value, "__len__") for value in values):
                _log.warning("%s_at_%d is not computed: it is of lists of documents, and some of these are none.", name, k)
                return None
        scores = [score(said, wanted, k) for wanted, said in zip(targets, predictions, strict=True)]
        return MetricValue(scores=scores, aggregate_results=standard_aggregations(scores))

    return make_metric(eval_fn=compute, greater_is_better=True, name=f"{name}_at_{k}")


def precision_at_k(k: int) -> EvaluationMetric:
    """Return the share of relevant ones among the first `k` documents."""
    return _of_first("precision", k, precision_of)


def recall_at_k(k: int) -> EvaluationMetric:
    """Return the share of the relevant documents that the first `k` hold."""
    return _of_first("recall", k, recall_of)


def ndcg_at_k(k: int) -> EvaluationMetric:
    """Return the normed discounted cumulative gain of the first `k` documents."""
    return _of_first("ndcg", k, ndcg_of)


def _of_all(name: str, function: str, greater: bool, *, weighted: bool = True) -> EvaluationMetric:
    def compute(predictions: Any, targets: Any = None, sample_weight: Any = None) -> Any:
        if targets is None or not len(targets):
            return None
        more = {"sample_weight": sample_weight} if weighted else {}
        return MetricValue(aggregate_results={name: float(getattr(sklearn_metrics(), function)(targets, predictions, **more))})

    return make_metric(eval_fn=compute, greater_is_better=greater, name=name)


def mae() -> EvaluationMetric:
    """Return the mean absolute error."""
    return _of_all("mean_absolute_error", "mean_absolute_error", False)


def mse() -> EvaluationMetric:
    """Return the mean squared error."""
    return _of_all("mean_squared_error", "mean_squared_error", False)


def rmse() -> EvaluationMetric:
    """Return the root of the mean squared error."""
    return _of_all("root_mean_squared_error", "root_mean_squared_error", False)


def r2_score() -> EvaluationMetric:
    """Return the coefficient of determination."""
    return _of_all("r2_score", "r2_score", True)


def max_error() -> EvaluationMetric:
    """Return the largest error."""
    return _of_all("max_error", "max_error", False, weighted=False)


def mape() -> EvaluationMetric:
    """Return the mean absolute percentage error."""
    return _of_all("mean_absolute_percentage_error", "mean_absolute_percentage_error", False)


def _of_labels(name: str) -> EvaluationMetric:
    def compute(
        predictions: Any, targets: Any = None, pos_label: Any = 1, average: str = "binary", sample_weight: Any = None
    ) -> Any:
        if targets is None or not len(targets):
            return None
        score = getattr(sklearn_metrics(), name)
        value = score(targets, predictions, pos_label=pos_label, average=average, sample_weight=sample_weight, zero_division=0.0)
        return MetricValue(aggregate_results={name: float(value)})

    return make_metric(eval_fn=compute, greater_is_better=True, name=name)


def recall_score() -> EvaluationMetric:
    """Return the share of positive rows that were found."""
    return _of_labels("recall_score")


def precision_score() -> EvaluationMetric:
    """Return the share of positive answers that were right."""
    return _of_labels("precision_score")


def f1_score() -> EvaluationMetric:
    """Return the harmonic mean of precision and recall."""
    return _of_labels("f1_score")
