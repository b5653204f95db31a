"""The tasks, and the default metrics of those that are of texts and documents."""

from __future__ import annotations

from runfolio.errors import UsageError
from runfolio.evaluation import ready_metrics as ready
from runfolio.evaluation.metric_values import EvaluationMetric
from runfolio.evaluation.settings import Settings

NUMERIC = ("classifier", "regressor")
ABOUT_TEXT = ("question-answering", "text-summarization", "text")
TASKS = (*NUMERIC, *ABOUT_TEXT, "retriever")
_NOT_HERE = (
    "token_count, toxicity, flesch_kincaid_grade_level and ari_grade_level are not computed: they need vocabularies and models from the "
    "network, or the package textstat."
)


def default_metrics(task: str | None, settings: Settings) -> list[EvaluationMetric]:
    """Return the default metrics of a task beside those that classifiers and regressors have.

    Raises
    ------
    UsageError
        If there is no such task.
    """
    if task is not None and task not in TASKS:
        raise UsageError(f"model_type: there is no {task!r}. There are: {', '.join(TASKS)}.")
    if task == "question-answering":
        return [ready.exact_match()]
    if task == "text-summarization":
        return [ready.rouge1(), ready.rouge2(), ready.rougeL(), ready.rougeLsum()]
    if task == "retriever":
        return [ready.precision_at_k(settings.k), ready.recall_at_k(settings.k), ready.ndcg_at_k(settings.k)]
    return []


def gaps(task: str | None) -> list[str]:
    """Return what MLflow computes of a task, and nobody here."""
    return [_NOT_HERE] if task in ABOUT_TEXT else []
