"""Artifacts of an evaluation, under the name that MLflow's scripts import: ``mlflow.models.evaluation.artifacts``."""

from runfolio.evaluation.artifacts import (
    CsvEvaluationArtifact,
    EvaluationArtifact,
    ImageEvaluationArtifact,
    JsonEvaluationArtifact,
    NumpyEvaluationArtifact,
    ParquetEvaluationArtifact,
    TextEvaluationArtifact,
)

__all__ = [
    "CsvEvaluationArtifact",
    "EvaluationArtifact",
    "ImageEvaluationArtifact",
    "JsonEvaluationArtifact",
    "NumpyEvaluationArtifact",
    "ParquetEvaluationArtifact",
    "TextEvaluationArtifact",
]
