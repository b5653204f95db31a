"""The columns and tensors of a dataset, in the JSON that MLflow writes and reads.

A column whose values have no type of MLflow's (mixed objects, time spans) is called ``any``; it never makes the schema fail.
This describes data; it does not check data against a description.

>>> Schema((ColumnSpec("long", "age"),)).to_dict()
[{'type': 'long', 'name': 'age', 'required': True}]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runfolio._dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column: a type of MLflow's, a name, and whether every row has a value."""

    type: str
    name: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor: its element type, its shape with -1 for the rows, and a name where there are several."""

    dtype: str
    shape: tuple[int, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, or the tensors of one side of a :class:`TensorSchema`."""

    inputs: tuple[ColumnSpec | TensorSpec, ...]

    def input_names(self) -> list[str]:
        """Return the names, in order."""
        return [spec.name for spec in self.inputs]

    def to_dict(self) -> list[dict[str, Any]]:
        """Return what MLflow's ``Schema.from_json`` reads, as lists and dictionaries."""
        return [_spec_dict(spec) for spec in self.inputs]

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict())


@dataclass(frozen=True, slots=True)
class TensorSchema:
    """The tensors of features and targets."""

    features: Schema
    targets: Schema | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's form, in which each side is JSON text within the JSON."""
        targets = self.targets.to_json() if self.targets is not None else None
        return {"mlflow_tensorspec": {"features": self.features.to_json(), "targets": targets}}


def column_type(kind: str, item_size: int) -> str:
    """Return MLflow's type for a numpy kind.

    Parameters
    ----------
    kind : str
        One letter of ``numpy.dtype.kind``, or ``T`` for text.
    item_size : int, bytes
    """
    if kind == "i":
        return "long" if item_size > 4 else "integer"
    if kind == "u":
        return {1: "integer", 2: "integer", 4: "long"}.get(item_size, "any")
    if kind == "f":
        return "double" if item_size > 4 else "float"
    return {"b": "boolean", "T": "string", "U": "string", "S": "binary", "M": "datetime"}.get(kind, "any")


def tensor_schema(arrays: Any) -> Schema:
    """Describe one array, or a dictionary of them.

    Parameters
    ----------
    arrays : ndarray or Mapping of str to ndarray
    """
    if isinstance(arrays, Mapping):
        return Schema(tuple(_tensor(array, str(name)) for name, array in arrays.items()))
    return Schema((_tensor(arrays, ""),))


def _tensor(array: Any, name: str) -> TensorSpec:
    # Of text MLflow says no length: "<U4" would make the schema another one where the longest word is.
    dtype = {"U": "str", "S": "bytes"}.get(array.dtype.kind, str(array.dtype))
    return TensorSpec(dtype, (-1, *array.shape[1:]) if array.ndim else (), name)


def _spec_dict(spec: ColumnSpec | TensorSpec) -> dict[str, Any]:
    if isinstance(spec, ColumnSpec):
        return {"type": spec.type, "name": spec.name, "required": spec.required}
    named = {"name": spec.name} if spec.name else {}
    return {**named, "type": "tensor", "tensor-spec": {"dtype": spec.dtype, "shape": list(spec.shape)}}
