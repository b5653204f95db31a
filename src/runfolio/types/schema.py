"""Schemas, under the name that MLflow's scripts import: ``mlflow.types.schema``."""

from runfolio.flavors.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from runfolio.flavors.types import AnyType, Array, DataType, Map, Object, Property

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "TensorSpec",
]
