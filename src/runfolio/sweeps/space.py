"""The space that a sweep searches: which params, and what each may be.

Pure: no sampler, no file. A space is written as a mapping, in YAML or in Python alike:

>>> space = read_space({
...     "depth": {"type": "int", "low": 2, "high": 12},
...     "rate": {"type": "float", "low": 1e-4, "high": 0.1, "log": True},
...     "kind": ["relu", "tanh"],      # a list: one of these
...     "epochs": 10,                  # anything else: always this
... })
>>> [type(each).__name__ for each in space.values()]
['IntRange', 'FloatRange', 'Choices', 'Fixed']

In Python an entry may also be one of the classes below, or one of Optuna's distributions. All mistakes of a space are told at once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.formats.fields import suggestion

MAX_GRID = 100_000
Scalar: TypeAlias = "str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class IntRange:
    """Whole numbers from `low` to `high`, both included.

    Parameters
    ----------
    low, high : int
    step : int
    log : bool
        Sampled evenly over the logarithm.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False


@dataclass(frozen=True, slots=True)
class FloatRange:
    """Numbers from `low` to `high`.

    Parameters
    ----------
    low, high : float
    step : float, optional
        Only `low` and whole steps above it.
    log : bool
        Sampled evenly over the logarithm.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """One of some values, in no order.

    Parameters
    ----------
    values : tuple of str, int, float, bool or None
    """

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same value."""

    value: Any


Dimension: TypeAlias = "IntRange | FloatRange | Choices | Fixed"
Space: TypeAlias = "dict[str, Dimension]"

_FIELDS = {
    "int": ("type", "low", "high", "step", "log"),
    "float": ("type", "low", "high", "step", "log"),
    "categorical": ("type", "choices"),
    "fixed": ("type", "value"),
}
Fault = Callable[[tuple[str, ...], str], None]


def read_space(said: Mapping[str, Any], fault: Fault | None = None) -> Space:
    """Read a space.

    Parameters
    ----------
    said : Mapping
        Dimension by the param's name.
    fault : callable, optional
        Told of each mistake, with the path of keys to it; without one they are raised together.

    Raises
    ------
    UsageError
        With every mistake, a line each.
    """
    faults: list[str] = []

    def note(path: tuple[str, ...], text: str) -> None:
        faults.append(f"space.{'.'.join(path)}: {text}.")

    made: Space = {}
    for name, entry in said.items():
        if not isinstance(name, str) or not name.strip():
            (fault or note)((str(name),), "a param's name is text")
            continue
        found = _dimension(name, entry, fault or note)
        if found is not None:
            made[name] = found
    if faults:
        raise UsageError("\n".join(faults))
    return made


def _dimension(name: str, entry: Any, fault: Fault) -> Dimension | None:
    if isinstance(entry, (IntRange, FloatRange, Choices, Fixed)):
        entry = dimension_words(entry)
    elif type(entry).__name__ in ("IntDistribution", "FloatDistribution", "CategoricalDistribution"):
        entry = _of_optuna(entry)
    if isinstance(entry, range):
        entry = {"type": "int", "low": entry.start, "high": entry[-1], "step": entry.step} if len(entry) else {}
    if isinstance(entry, (list, tuple)):
        entry = {"type": "categorical", "choices": list(entry)}
    if not isinstance(entry, Mapping):
        return Fixed(entry)
    kind = entry.get("type")
    if kind is None and "choices" in entry:
        kind = "categorical"
    if kind is None and "value" in entry:
        kind = "fixed"
    if kind not in _FIELDS:
        said = "is missing" if kind is None else f"{kind!r} is none"
        fault((name, "type"), f"{said}: int, float, categorical or fixed is expected")
        return None
    unknown = [key for key in entry if key not in _FIELDS[kind]]
    for key in unknown:
        fault((name, str(key)), f"no such field of {kind}{suggestion(str(key), _FIELDS[kind])}")
    if unknown:
        return None
    if kind == "categorical":
        return _choices(name, entry.get("choices"), fault)
    if kind == "fixed":
        return Fixed(entry.get("value"))
    return _range(name, kind, entry, fault)


def _of_optuna(entry: Any) -> dict[str, Any]:
    if hasattr(entry, "choices"):
        return {"type": "categorical", "choices": list(entry.choices)}
    kind = "int" if type(entry).__name__.startswith("Int") else "float"
    return {"type": kind, "low": entry.low, "high": entry.high, "step": entry.step, "log": entry.log}


def _choices(name: str, said: Any, fault: Fault) -> Choices | None:
    if not isinstance(said, (list, tuple)) or not said:
        fault((name, "choices"), "a list of at least one value is expected")
        return None
    wrong = [item for item in said if item is not None and not isinstance(item, (str, int, float, bool))]
    if wrong:
        fault((name, "choices"), f"each is a text, a number, true, false or null; found {type(wrong[0]).__name__}")
        return None
    plain = [(type(item), item) for item in said]
    if len(set(plain)) < len(plain):
        fault((name, "choices"), "a value is there twice")
        return None
    return Choices(tuple(said))


def _range(name: str, kind: str, entry: Mapping[str, Any], fault: Fault) -> IntRange | FloatRange | None:
    numbers: dict[str, Any] = {}
    good = True
    for key in ("low", "high", "step"):
        value = entry.get(key)
        if value is None and key == "step":
            continue
        wanted = int if kind == "int" else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted) or not math.isfinite(value):
            said = "is missing" if value is None else f"found {value!r}"
            fault((name, key), f"a {'whole ' if kind == 'int' else ''}number is expected; {said}")
            good = False
        else:
            numbers[key] = value if kind == "int" else float(value)
    log = entry.get("log", False)
    if not isinstance(log, bool):
        fault((name, "log"), f"true or false is expected; found {log!r}")
        good = False
    if not good:
        return None
    low, high, step = numbers["low"], numbers["high"], numbers.get("step")
    if low > high:
        fault((name, "high"), f"{high!r} is below low ({low!r})")
    elif step is not None and step <= 0:
        fault((name, "step"), f"a number above 0 is expected; found {step!r}")
    elif log and low <= 0:
        fault((name, "low"), f"a number above 0 is expected where log is true; found {low!r}")
    elif log and step is not None and not (kind == "int" and step == 1):
        fault((name, "step"), "cannot be together with log: leave one of the two out")
    elif kind == "int":
        return IntRange(low, high, 1 if step is None else step, log)
    else:
        return FloatRange(low, high, step, log)
    return None


def dimension_words(dimension: Dimension) -> dict[str, Any]:
    """Return a dimension as the mapping that :func:`read_space` reads."""
    if isinstance(dimension, Choices):
        return {"type": "categorical", "choices": list(dimension.values)}
    if isinstance(dimension, Fixed):
        return {"type": "fixed", "value": dimension.value}
    made: dict[str, Any] = {"type": "int" if isinstance(dimension, IntRange) else "float"}
    made.update(low=dimension.low, high=dimension.high)
    if dimension.step is not None:
        made["step"] = dimension.step
    return {**made, "log": True} if dimension.log else made


def encode_space(space: Mapping[str, Dimension]) -> str:
    """Return a space as JSON."""
    said = {
        name: each.value
        if isinstance(each, Fixed) and not isinstance(each.value, (list, tuple, Mapping))
        else dimension_words(each)
        for name, each in space.items()
    }
    return json.dumps(said, ensure_ascii=False, default=str)


def shown_space(space: Mapping[str, Dimension], redact: Callable[[str, str], str]) -> Space:
    """Return a space as it is recorded.

    Parameters
    ----------
    space : Mapping of str to Dimension
    redact : callable
        Given a param's name and a text that it may be, returns what is written of it.

    Raises
    ------
    UsageError
        If a param with several values has a secret among them: they could not be told from one another.
    """
    made: Space = {}
    for name, each in space.items():
        if isinstance(each, Fixed) and isinstance(each.value, str):
            made[name] = Fixed(redact(name, each.value))
        elif isinstance(each, Choices):
            shown = tuple(redact(name, value) if isinstance(value, str) else value for value in each.values)
            if len(set(shown)) < len(set(each.values)):
                raise UsageError(
                    f"space.{name}: its values look like secrets, and a sweep's values are written into its record. Name each by a "
                    "word, and let the program look the secret up."
                )
            made[name] = Choices(shown)
        else:
            made[name] = each
    return made


def decode_space(text: str) -> Space:
    """Read what :func:`encode_space` wrote.

    Raises
    ------
    UsageError
        If it is no space.
    """
    try:
        said = json.loads(text)
    except ValueError:
        raise UsageError("The space of the sweep's run cannot be read: it is no JSON.") from None
    return read_space(said if isinstance(said, dict) else {})


def searched(space: Mapping[str, Dimension]) -> Space:
    """Return the dimensions in which points differ."""
    return {name: each for name, each in space.items() if not isinstance(each, Fixed)}


def values_of(dimension: Dimension) -> list[Any] | None:
    """List the values of a dimension; None where there is no end of them."""
    if isinstance(dimension, Fixed):
        return [dimension.value]
    if isinstance(dimension, Choices):
        return list(dimension.values)
    if isinstance(dimension, IntRange):
        return list(range(dimension.low, dimension.high + 1, dimension.step))
    if dimension.step is None:
        return [dimension.low] if dimension.low == dimension.high else None
    count = math.floor((dimension.high - dimension.low) / dimension.step + 1e-9) + 1
    return [min(dimension.low + at * dimension.step, dimension.high) for at in range(min(count, MAX_GRID + 1))]


def grid_size(space: Mapping[str, Dimension]) -> int:
    """Return how many points a grid over the space has.

    Raises
    ------
    UsageError
        If a dimension has no end of values, or there are more than :data:`MAX_GRID` points.
    """
    faults, size = [], 1
    for name, each in space.items():
        found = values_of(each)
        if found is None:
            faults.append(f"space.{name}: a grid needs a step here, or a list of values.")
        else:
            size *= len(found)
    if not faults and size > MAX_GRID:
        faults.append(f"The grid has {size:,} points; {MAX_GRID:,} are the most. Use larger steps, or another sampler.")
    if faults:
        raise UsageError("\n".join(faults))
    return size


def grid_point(space: Mapping[str, Dimension], number: int) -> dict[str, Any]:
    """Return one point of a grid: the last param changes fastest."""
    made: dict[str, Any] = {}
    for name in reversed(list(space)):
        found = values_of(space[name]) or []
        number, at = divmod(number, len(found))
        made[name] = found[at]
    return {name: made[name] for name in space}
