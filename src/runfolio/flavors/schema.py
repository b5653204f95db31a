"""What a model takes and gives: columns, tensors, parameters; their JSON is byte for byte that of MLflow 2.22.

>>> Schema([ColSpec("double", "alcohol")]).to_json()
'[{"type": "double", "name": "alcohol", "required": true}]'

Checking data against a schema is in :mod:`runfolio.flavors.enforcing`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, UsageError
from runfolio.flavors.params import checked_param
from runfolio.flavors.types import ColumnType, DataType, Object, named_type, type_from_json


@dataclass(frozen=True, slots=True, init=False)
class ColSpec:
    """A column: its type, its name if it has one, whether it may be missing."""

    type: ColumnType
    name: str | None
    required: bool

    def __init__(self, type: ColumnType | str, name: str | None = None, required: bool = True) -> None:
        object.__setattr__(self, "type", named_type(type))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "required", required)

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        named = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **named, "required": self.required}

    def __repr__(self) -> str:
        named = "" if self.name is None else f"{self.name!r}: "
        return f"{named}{self.type!r} ({'required' if self.required else 'optional'})"


@dataclass(frozen=True, slots=True, init=False)
class TensorSpec:
    """An array: numpy's name of its type, its shape with -1 where any length goes, its name if it has one."""

    dtype: str
    shape: tuple[int, ...]
    name: str | None

    def __init__(self, type: Any, shape: Sequence[int], name: str | None = None) -> None:
        dtype = type if isinstance(type, str) else getattr(type, "name", None) or getattr(type, "__name__", "")
        if not dtype:
            raise UsageError(f"TensorSpec takes a numpy type or its name; {type!r} is neither.")
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "shape", tuple(int(length) for length in shape))
        object.__setattr__(self, "name", name)

    @property
    def type(self) -> Any:
        """Numpy's type."""
        import numpy

        return numpy.dtype(self.dtype)

    @property
    def required(self) -> bool:
        """True: no tensor may be missing."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        named = {} if self.name is None else {"name": self.name}
        return {**named, "type": "tensor", "tensor-spec": {"dtype": self.dtype, "shape": list(self.shape)}}

    def __repr__(self) -> str:
        named = "" if self.name is None else f"{self.name!r}: "
        return f"{named}Tensor({self.dtype!r}, {self.shape!r})"


Spec = ColSpec | TensorSpec


@dataclass(frozen=True, slots=True, init=False)
class Schema:
    """Columns or tensors; with names or without, all alike."""

    inputs: tuple[Spec, ...]

    def __init__(self, inputs: Sequence[Spec]) -> None:
        if len({isinstance(each, TensorSpec) for each in inputs}) != 1:
            raise UsageError("Schema takes at least one ColSpec, or at least one TensorSpec, not both.")
        named = [each.name for each in inputs if each.name is not None]
        if named and (len(named) != len(inputs) or len(set(named)) != len(named)):
            raise UsageError(f"Schema: all inputs have a name of their own, or none has; the names are {named}.")
        if not named and len(inputs) > 1 and isinstance(inputs[0], TensorSpec):
            raise UsageError("Schema: of several tensors each needs a name.")
        object.__setattr__(self, "inputs", tuple(inputs))

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[Spec]:
        return iter(self.inputs)

    def is_tensor_spec(self) -> bool:
        """Return whether these are tensors."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Return whether the inputs are named."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[str | int]:
        """Return the names, or the positions where there are none."""
        return [each.name if each.name is not None else at for at, each in enumerate(self.inputs)]

    def required_input_names(self) -> list[str | int]:
        """Return the names of what may not be missing."""
        return [name for name, each in zip(self.input_names(), self.inputs, strict=True) if each.required]

    def optional_input_names(self) -> list[str | int]:
        """Return the names of what may be missing."""
        return [name for name, each in zip(self.input_names(), self.inputs, strict=True) if not each.required]

    def input_types(self) -> list[Any]:
        """Return the types."""
        return [each.type for each in self.inputs]

    def input_dict(self) -> dict[str | int, Spec]:
        """Return the inputs by name."""
        return dict(zip(self.input_names(), self.inputs, strict=True))

    def to_dict(self) -> list[dict[str, Any]]:
        """Return its JSON, as data."""
        return [each.to_dict() for each in self.inputs]

    def to_json(self) -> str:
        """Return its JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> Schema:
        """Read it from JSON.

        Raises
        ------
        DamagedError
            Naming the field that does not hold what it should.
        """
        return cls([_spec(said, f"input {at}") for at, said in enumerate(_entries(json_str))])

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self.inputs))}]"


@dataclass(frozen=True, slots=True, init=False)
class ParamSpec:
    """A parameter of ``predict``: name, type, default; shape None for one value, (-1,) for a list."""

    name: str
    dtype: DataType | Object
    default: Any
    shape: tuple[int, ...] | None

    def __init__(self, name: str, dtype: DataType | Object | str, default: Any, shape: Sequence[int] | None = None) -> None:
        found = named_type(dtype)
        if not isinstance(found, (DataType, Object)):
            raise UsageError(f"Parameter {name!r}: {found!r} is no type of a parameter.")
        if shape is not None and tuple(shape) != (-1,):
            raise UsageError(f"Parameter {name!r}: its shape is None (one value) or (-1,) (a list), not {shape!r}.")
        object.__setattr__(self, "name", str(name))
        object.__setattr__(self, "dtype", found)
        object.__setattr__(self, "shape", None if shape is None else (-1,))
        object.__setattr__(self, "default", checked_param(self.name, default, found, listed=shape is not None))

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        shape = None if self.shape is None else list(self.shape)
        return {"name": self.name, "default": _plain(self.default), "shape": shape, **self.dtype.to_dict()}

    def __repr__(self) -> str:
        shape = f" (shape: {self.shape})" if self.shape else ""
        return f"{self.name!r}: {self.dtype!r} (default: {self.default}){shape}"


@dataclass(frozen=True, slots=True, init=False)
class ParamSchema:
    """The parameters of ``predict``."""

    params: tuple[ParamSpec, ...]

    def __init__(self, params: Sequence[ParamSpec]) -> None:
        names = [each.name for each in params]
        if len(set(names)) != len(names):
            raise UsageError(f"ParamSchema: each parameter has a name of its own; the names are {names}.")
        object.__setattr__(self, "params", tuple(params))

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return its JSON, as data."""
        return [each.to_dict() for each in self.params]

    def to_json(self) -> str:
        """Return its JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> ParamSchema:
        """Read it from JSON; ``dtype`` is read as ``type``, as early MLflow wrote it."""
        return cls([_param(said, f"param {at}") for at, said in enumerate(_entries(json_str))])

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self.params))}]"


def _entries(text: str) -> list[Mapping[str, Any]]:
    try:
        entries = json.loads(text)
    except (ValueError, TypeError) as error:
        raise DamagedError(f"signature: not JSON: {error}. It is written by infer_signature.") from None
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise DamagedError("signature: expected a list of objects. It is written by infer_signature.")
    return entries


def _spec(said: Mapping[str, Any], where: str) -> Spec:
    if said.get("type") == "tensor":
        tensor = said.get("tensor-spec")
        if not isinstance(tensor, Mapping) or not {"dtype", "shape"} <= set(tensor):
            raise DamagedError(f"signature: {where}: tensor-spec must have dtype and shape.")
        return TensorSpec(tensor["dtype"], tensor["shape"], said.get("name"))
    name: Any = said.get("name")
    # A list: of a table whose columns' names have several levels, which in pandas are tuples.
    name = tuple(name) if isinstance(name, list) else name
    return ColSpec(type_from_json(said, f"signature: {where}"), name, bool(said.get("required", True)))


def _param(said: Mapping[str, Any], where: str) -> ParamSpec:
    said = {**said, "type": said.get("type", said.get("dtype"))}
    found = type_from_json(said, f"signature: {where}")
    if not isinstance(found, (DataType, Object)) or not {"name", "default"} <= set(said):
        raise DamagedError(f"signature: {where}: a parameter has name, type and default.")
    return ParamSpec(said["name"], found, said["default"], said.get("shape"))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value
