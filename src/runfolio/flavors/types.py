"""Types of columns in a model's signature, and their JSON as MLflow 2.22 spells it.

A type is a :class:`DataType` or one of the compound ones. Invariant: ``type_from_json(x.to_dict()) == x``. Nothing here knows
numpy or pandas; what a type is for them is in :mod:`runfolio.flavors.inference` and :mod:`runfolio.flavors.enforcing`.

>>> Array(DataType.string).to_dict()
{'type': 'array', 'items': {'type': 'string'}}
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, UsageError


class DataType(Enum):
    """A plain value; the enum's value is the name of numpy's type for it."""

    boolean = "bool"
    integer = "int32"
    long = "int64"
    float = "float32"
    double = "float64"
    string = "str"
    binary = "bytes"
    datetime = "datetime64[ns]"

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        return {"type": self.name}

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Array:
    """A list of one type."""

    dtype: ColumnType

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        return {"type": "array", "items": self.dtype.to_dict()}

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"


@dataclass(frozen=True, slots=True)
class Map:
    """A dictionary of any keys and one type of values."""

    value_type: ColumnType

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        return {"type": "map", "values": self.value_type.to_dict()}

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type!r})"


@dataclass(frozen=True, slots=True)
class Property:
    """One key of an :class:`Object`."""

    name: str
    dtype: ColumnType
    required: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON, under its name."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}


@dataclass(frozen=True, slots=True, init=False)
class Object:
    """A dictionary of named keys, kept in the order of their names."""

    properties: tuple[Property, ...]

    def __init__(self, properties: tuple[Property, ...] | list[Property]) -> None:
        names = [each.name for each in properties]
        if not names or len(set(names)) != len(names):
            raise UsageError(f"An object of a signature needs properties, each of another name; there are {names}.")
        object.__setattr__(self, "properties", tuple(sorted(properties, key=lambda each: each.name)))

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        return {"type": "object", "properties": {key: said for each in self.properties for key, said in each.to_dict().items()}}

    def __repr__(self) -> str:
        parts = (f"{each.name}: {each.dtype!r} ({'required' if each.required else 'optional'})" for each in self.properties)
        return "{" + ", ".join(parts) + "}"


@dataclass(frozen=True, slots=True)
class AnyType:
    """Anything: not checked when the model is called."""

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON."""
        return {"type": "any"}

    def __repr__(self) -> str:
        return "Any"


ColumnType = DataType | Array | Map | Object | AnyType
_ELEMENTS = ("items", "values", "properties")


def named_type(value: ColumnType | str) -> ColumnType:
    """Return the type itself, or the plain one of that name."""
    if not isinstance(value, str):
        return value
    try:
        return DataType[value]
    except KeyError:
        raise UsageError(f"No such type: {value!r}. There are: {', '.join(DataType.__members__)}.") from None


def type_from_json(said: Mapping[str, Any], where: str) -> ColumnType:
    """Read a type.

    Parameters
    ----------
    said : dict
        With ``type``, and what that type has.
    where : str
        Names the field in an error.

    Raises
    ------
    DamagedError
        If it is none.
    """
    kind = said.get("type")
    if kind == "any":
        return AnyType()
    for name in _ELEMENTS:
        if name in said and not isinstance(said[name], Mapping):
            raise DamagedError(f"{where}: {name} must be an object, and is {said[name]!r}.")
    if kind == "array" and "items" in said:
        return Array(type_from_json(said["items"], f"{where}.items"))
    if kind == "map" and "values" in said:
        return Map(type_from_json(said["values"], f"{where}.values"))
    if kind == "object" and said.get("properties"):
        return Object(
            [
                Property(name, type_from_json(inner, f"{where}.{name}"), bool(inner.get("required", True)))
                for name, inner in said["properties"].items()
            ]
        )
    if isinstance(kind, str) and kind in DataType.__members__:
        return DataType[kind]
    raise DamagedError(
        f"{where}: not a type of a signature: {dict(said)!r}. There are {', '.join(DataType.__members__)}, array, …"
    )
