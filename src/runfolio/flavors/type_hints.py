"""Type hints of ``predict``: a signature read off them, and data held against them, by MLflow's rules.

The hint of the input is ``list[…]`` of a plain type, of a list or dictionary of such, or of a class of pydantic; ``Any`` and unions take
anything. Frames and arrays as hints say nothing and check nothing. A frame of one column is taken for a list, one of several for a list
of dictionaries; a dictionary becomes an instance of pydantic where that is the hint. Nothing else is converted.
"""

from __future__ import annotations

import inspect
import logging
import types
import typing
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.flavors.schema import ColSpec, Schema
from runfolio.flavors.types import AnyType, Array, ColumnType, DataType, Map, Object, Property

TypeFromExample = TypeVar("TypeFromExample")
"""As the hint of the input: the data comes in the form of the input example."""

_PLAIN: dict[Any, DataType] = {
    int: DataType.long,
    str: DataType.string,
    bool: DataType.boolean,
    float: DataType.double,
    bytes: DataType.binary,
    datetime: DataType.datetime,
}
_log = logging.getLogger("runfolio")
_UNIONS = (typing.Union, types.UnionType)
_SHOWN = 5


@dataclass
class TypeHints:
    """Of ``predict``: what it takes and gives; None where nothing is said. Pickles of MLflow set its fields."""

    input: Any = None
    output: Any = None


class FuncInfo(NamedTuple):
    """What the data of a call is held against; pickles of MLflow hold this too."""

    input_type_hint: Any
    input_param_name: str


def takes_context(predict: Callable[..., Any]) -> bool:
    """Return whether a ``predict`` is called with the context first: by its name, or as one of two besides ``params``."""
    names = [name for name in inspect.signature(predict).parameters if name not in ("self", "params")]
    return "context" in names or len(names) == 2


def hints_of(predict: Callable[..., Any]) -> tuple[str, TypeHints]:
    """Return the name of the parameter that takes the data, and the hints."""
    names = [name for name in inspect.signature(predict).parameters if name not in ("self", "params")]
    name = names[1 if takes_context(predict) else 0] if names else ""
    try:
        found = typing.get_type_hints(predict)
    except (NameError, TypeError, AttributeError):
        found = {}  # a name that is not known where the class stands
    return name, TypeHints(found.get(name), found.get("return"))


def schema_of(hint: Any) -> Schema:
    """Return the schema of one input or output, which a hint tells: of what a list holds, or of the value itself.

    Raises
    ------
    UsageError
        If a signature has no word for it.
    """
    inner = _inner(hint) if typing.get_origin(hint) is list or hint is list else hint
    found, required = _column(inner)
    if not required:
        raise UsageError(
            f"{_named(hint)}: the input as a whole may not be optional. Make fields of a pydantic class optional instead."
        )
    return Schema([ColSpec(found)])


def is_checked(hint: Any) -> bool:
    """Return whether data is held against a hint: ``list[…]`` of what a signature has words for.

    Raises
    ------
    UsageError
        If it is a list without elements, or of an optional: that cannot be meant.
    """
    if hint is None or hint is TypeFromExample:
        return False
    if hint is not list and typing.get_origin(hint) is not list:
        return False
    inner = _inner(hint)
    try:
        schema_of(inner)
    except UsageError as error:
        if inner in (list, dict) or _optional(inner):
            raise UsageError(f"The type hint {_named(hint)} of predict's input: {error}") from None
        return False
    return True


def says_nothing(hint: Any) -> bool:
    """Return whether a hint that data is not held against looks as if it were: all but tables and arrays, which are as they are."""
    if hint is None or hint is Any or hint is TypeFromExample:
        return False
    module = str(getattr(typing.get_origin(hint) or hint, "__module__", ""))
    return module.partition(".")[0] not in ("pandas", "numpy", "scipy", "polars")


def checked(data: Any, hint: Any) -> Any:
    """Return data that fits a hint; dictionaries made instances where it names a class of pydantic.

    Raises
    ------
    UsageError
        Saying where it does not fit.
    """
    if hint is Any:
        return data
    if hint in _PLAIN:
        if isinstance(data, hint) and not (hint is int and isinstance(data, bool)):
            return data
        raise UsageError(f"expected {_named(hint)}, and it is {type(data).__name__}")
    if _pydantic(hint):
        return _instance(data, hint)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and len(inner) == 1:
        return _elements(data, hint, inner[0])
    if origin is dict and len(inner) == 2:
        return _values(data, hint, inner[1])
    if origin in _UNIONS:
        others = [each for each in inner if each is not type(None)]
        return data if data is None or len(others) != 1 else checked(data, others[0])
    raise UsageError(f"the type hint {_named(hint)} is not one that data is held against")


def from_frame(data: Any, hint: Any) -> Any:
    """Return a frame as the list that a hint asks for; other data as it is."""
    if not (hasattr(data, "columns") and hasattr(data, "iloc")) or typing.get_origin(hint) is not list:
        return data
    inner = _inner(hint)
    if _pydantic(inner) or typing.get_origin(inner) is dict:
        made = data.iloc[:, 0].tolist() if list(data.columns) == [0] else data.to_dict(orient="records")
    else:
        if len(data.columns) > 1:
            _log.warning(
                "The type hint %s takes one column, and the data has %d: only the first is used, %r.",
                _named(hint),
                len(data.columns),
                data.columns[0],
            )
        made = data.iloc[:, 0].tolist()
    return [_listed(each) for each in made]


def checked_call(
    args: tuple[Any, ...], kwargs: dict[str, Any], at: int, hint: Any, name: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call of ``predict``, its data held against the hint; MLflow's own pickles call this by its name there."""
    if name in kwargs:
        return args, {**kwargs, name: _fitting(kwargs[name], hint)}
    if len(args) > at:
        return (*args[:at], _fitting(args[at], hint), *args[at + 1 :]), kwargs
    return args, kwargs


def _fitting(data: Any, hint: Any) -> Any:
    try:
        return checked(from_frame(data, hint), hint)
    except UsageError as error:
        raise UsageError(f"The data does not fit the type hint {_named(hint)} of predict: {error}.") from None


def pyfunc(func: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function, or a ``predict``, hold its data against its type hint; as a decorator (MLflow's ``pyfunc.utils.pyfunc``)."""
    if getattr(func, "_is_pyfunc", False):
        return func
    name, hints = hints_of(func)
    if not is_checked(hints.input):
        return func
    at, hint = list(inspect.signature(func).parameters).index(name), hints.input

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = checked_call(args, kwargs, at, hint, name)
        return func(*args, **kwargs)

    wrapper._is_pyfunc = True  # type: ignore[attr-defined] # MLflow's mark
    return wrapper


def as_example(data: Any, example: Any) -> Any:
    """Return a frame in the form of the input example, for the hint ``TypeFromExample``."""
    if not hasattr(data, "iloc") or hasattr(example, "columns"):
        return data
    if hasattr(example, "iloc"):
        return data.iloc[:, 0].rename(example.name)
    if isinstance(example, dict):
        return data.to_dict(orient="records")[0] if len(data) == 1 else data
    if isinstance(example, list):
        single = len(data.columns) == 1 and not any(isinstance(each, (dict, list)) for each in example)
        return data.iloc[:, 0].tolist() if single else data.to_dict(orient="records")
    return data.iloc[0, 0]


def _column(hint: Any) -> tuple[ColumnType, bool]:
    if hint is Any:
        return AnyType(), True
    if hint in _PLAIN:
        return _PLAIN[hint], True
    if _pydantic(hint):
        return _object(hint), True
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is list or hint in (list, dict):
        return Array(_column(_inner(hint))[0]), True
    if origin is dict and len(inner) == 2:
        if inner[0] is not str:
            raise UsageError(f"{_named(hint)}: the keys of a dictionary are text, not {_named(inner[0])}")
        return Map(_column(inner[1])[0]), True
    if origin in _UNIONS:
        others = [each for each in inner if each is not type(None)]
        found = _column(others[0])[0] if len(others) == 1 else AnyType()
        return found, len(others) == len(inner)
    raise UsageError(
        f"{_named(hint)} has no type in a signature: use list[…] of int, float, str, bool, bytes, datetime, of lists and dictionaries "
        "of them, of a class of pydantic, or of Any"
    )


def _object(hint: Any) -> Object:
    made = []
    for name, info in hint.model_fields.items():
        found, required = _column(info.annotation)
        if not required and info.is_required():
            raise UsageError(f"{hint.__name__}.{name} is optional and has no default: give it None")
        made.append(Property(name, found, required))
    return Object(made)


def _inner(hint: Any) -> Any:
    inner = typing.get_args(hint)
    if len(inner) != 1:
        raise UsageError(
            f"{_named(hint)} does not say what it holds: write {_named(hint)}[…], such as list[str] or dict[str, int]."
        )
    return inner[0]


def _optional(hint: Any) -> bool:
    return typing.get_origin(hint) in _UNIONS and type(None) in typing.get_args(hint)


def _pydantic(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, "model_fields") and hasattr(hint, "model_validate")


def _instance(data: Any, hint: Any) -> Any:
    given = data.model_dump() if hasattr(data, "model_dump") else data
    if not isinstance(given, dict):
        raise UsageError(f"expected a dictionary for {_named(hint)}, and it is {type(data).__name__}")
    try:
        hint.model_validate(given, strict=True)  # "3" is no 3
        return hint(**given) if given is data else data
    except ValueError as error:
        lines = "; ".join(str(error).splitlines()[1:-1])
        raise UsageError(f"it does not fit {_named(hint)}: {lines or error}") from None


def _elements(data: Any, hint: Any, inner: Any) -> list[Any]:
    if not isinstance(data, list):
        raise UsageError(f"expected {_named(hint)}, and it is {type(data).__name__}")
    return _each(enumerate(data), inner)


def _values(data: Any, hint: Any, inner: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise UsageError(f"expected {_named(hint)}, and it is {type(data).__name__}")
    if not all(isinstance(key, str) for key in data):
        raise UsageError(f"expected {_named(hint)}, and it has keys that are no text: {list(data)[:_SHOWN]}")
    return dict(zip(data, _each(data.items(), inner), strict=True))


def _each(items: Iterable[tuple[Any, Any]], inner: Any) -> list[Any]:
    made, faults = [], []
    for key, value in items:
        try:
            made.append(checked(value, inner))
        except UsageError as error:
            faults.append(f"[{key!r}] {error}")
    if faults:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise UsageError("; ".join(faults[:_SHOWN]) + more)
    return made


def _listed(value: Any) -> Any:
    """Return arrays inside a frame, as Spark's user-defined functions make them, as lists."""
    if isinstance(value, dict):
        return {key: _listed(each) for key, each in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")
