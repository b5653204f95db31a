"""Signatures of models and what is known of one: MLflow's ``mlflow.models`` and ``mlflow.types``.

>>> from runfolio.models import infer_signature
>>> infer_signature([1.5], ["a"]).inputs
[double (required)]
"""

from runfolio.flavors.inference import infer_signature
from runfolio.flavors.model import Model, ModelInfo
from runfolio.flavors.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.types import AnyType, Array, DataType, Map, Object, Property
from runfolio.tracking.model_logging import get_model_info

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "Model",
    "ModelInfo",
    "ModelSignature",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "TensorSpec",
    "get_model_info",
    "infer_signature",
]
