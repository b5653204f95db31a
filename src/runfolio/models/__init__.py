"""Signatures of models, what is known of one, and how good it is: MLflow's ``mlflow.models`` and ``mlflow.types``.

>>> from runfolio.models import infer_signature
>>> infer_signature([1.5], ["a"]).inputs
[double (required)]
"""

from typing import Any

from runfolio._absent import absent_names as _absent_names
from runfolio.deployments.images.building import build_docker
from runfolio.evaluation.artifacts import EvaluationArtifact
from runfolio.evaluation.evaluating import evaluate
from runfolio.evaluation.metric_values import EvaluationMetric, make_metric
from runfolio.evaluation.result import EvaluationResult
from runfolio.evaluation.thresholds import MetricThreshold, ModelValidationFailedException, validate_evaluation_results
from runfolio.flavors.inference import infer_signature
from runfolio.flavors.model import Model, ModelInfo
from runfolio.flavors.model_scripts import ModelConfig, set_model
from runfolio.flavors.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.types import AnyType, Array, DataType, Map, Object, Property
from runfolio.serving.by_uri import predict
from runfolio.tracking.model_environments import update_model_requirements
from runfolio.tracking.model_logging import get_model_info
from runfolio.tracking.model_requests import (
    convert_input_example_to_serving_input,
    infer_pip_requirements,
    set_signature,
    validate_schema,
    validate_serving_input,
)

ModelInputExample = Any
"""What ``input_example`` takes: a DataFrame, an array, a dictionary, a list, a plain value, or a pair of one and the parameters."""

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "Map",
    "MetricThreshold",
    "Model",
    "ModelConfig",
    "ModelInfo",
    "ModelInputExample",
    "ModelSignature",
    "ModelValidationFailedException",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "TensorSpec",
    "build_docker",
    "convert_input_example_to_serving_input",
    "evaluate",
    "get_model_info",
    "infer_pip_requirements",
    "infer_signature",
    "make_metric",
    "predict",
    "set_model",
    "set_signature",
    "update_model_requirements",
    "validate_evaluation_results",
    "validate_schema",
    "validate_serving_input",
]

__getattr__ = _absent_names(__name__)
