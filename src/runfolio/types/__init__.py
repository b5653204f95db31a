"""Types of a model's signature: MLflow's ``mlflow.types``. They are :mod:`runfolio.models`', under the name that scripts import."""

from runfolio.flavors.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from runfolio.flavors.type_hints import TypeFromExample
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
    "TypeFromExample",
]
