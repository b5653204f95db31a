"""A signature compiled: requests whose columns are numbers go straight from JSON to an array, in the signature's order.

What is out of the ordinary (a missing column, text, rows of several lengths, parameters, an empty table) is not judged here:
:meth:`Columns.decode` returns None, and :mod:`runfolio.serving.payloads` takes the request and words the refusal. So both ways
accept the same requests, and give the model the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from runfolio.flavors.schema import ColSpec, Schema, TensorSpec
from runfolio.flavors.types import DataType
from runfolio.serving.payloads import INPUTS, INSTANCES, RECORDS, SPLIT

_EXACT = 2.0**53
_KNOWN_ORDERS = 64
_WHOLE = (DataType.long, DataType.integer)


class Decoder:
    """Reads one form of signature."""

    def decode(self, said: Mapping[str, Any]) -> Any:
        """Return the array that a JSON object says, or None where it takes the longer way."""
        if len(said) == 2 and "params" in said and not said["params"]:
            said = {form: data for form, data in said.items() if form != "params"}
        if len(said) != 1:
            return None
        [(form, data)] = said.items()
        try:
            return self.array(form, data)
        except (ValueError, TypeError, KeyError, OverflowError, IndexError, RecursionError):
            return None

    def array(self, form: str, data: Any) -> Any:
        """Return the array of one form, None or an error of numpy's where it makes none."""
        raise NotImplementedError


class Columns(Decoder):
    """Named columns, all numbers.

    Parameters
    ----------
    names : tuple of str
    kinds : dict of int to str
        Numpy's types of the columns of whole numbers, by position.
    """

    def __init__(self, names: tuple[str, ...], kinds: dict[int, str]) -> None:
        import numpy

        self.names = names
        self.kinds = kinds
        self.whole = list(kinds)
        self._numpy = numpy
        self._all_whole = len(kinds) == len(names)
        self._row = itemgetter(*names) if len(names) > 1 else (lambda row: (row[names[0]],))
        self._orders: dict[tuple[str, ...], list[int] | None] = {names: None}

    def array(self, form: str, data: Any) -> Any:
        """Return the rows."""
        if form == SPLIT:
            return self._split(data)
        if form not in (RECORDS, INSTANCES, INPUTS) or not data:
            return None
        if isinstance(data, list) and type(data[0]) is dict:
            return self._checked(list(map(self._row, data)))
        if isinstance(data, dict) and form != RECORDS:
            columns = self._row(data)
            if all(type(each) is list for each in columns) and len({len(each) for each in columns}) == 1:
                made = self._checked(columns, across=True)
                return None if made is None else self._numpy.ascontiguousarray(made)
        return None

    def _split(self, data: Any) -> Any:
        rows, names, index = data["data"], data.get("columns"), data.get("index")
        if not rows or type(rows) is not list or type(names) is not list:
            return None
        if index is not None:
            if type(index) is not list or len(index) != len(rows) or len(data) != 3:
                return None
        elif len(data) != 2 + ("index" in data):
            return None
        order = self._order(tuple(names))
        if order == []:
            return None
        made = self._numpy.array(rows, dtype=self._numpy.float64)
        if made.ndim != 2 or made.shape[1] != len(names):
            return None
        return self._exact(made if order is None else made[:, order])

    def _order(self, given: tuple[str, ...]) -> list[int] | None:
        """Return where the columns stand: None as they should, an empty list where this is not the way."""
        if given in self._orders:
            return self._orders[given]
        where = {name: at for at, name in enumerate(given)}
        order = [where[name] for name in self.names] if len(where) == len(given) and set(self.names) <= set(where) else []
        if len(self._orders) < _KNOWN_ORDERS:
            self._orders[given] = order
        return order

    def _checked(self, rows: Any, *, across: bool = False) -> Any:
        made = self._numpy.array(rows, dtype=self._numpy.float64)
        if made.ndim != 2 or made.shape[0 if across else 1] != len(self.names):
            return None
        return self._exact(made.T if across else made)

    def _exact(self, made: Any) -> Any:
        """Return the rows if what must be whole is, and within what a fraction can hold."""
        if self.whole:
            part = made if self._all_whole else made[:, self.whole]
            if not bool(((part == self._numpy.rint(part)) & (abs(part) < _EXACT)).all()):
                return None
        return made


class Tensor(Decoder):
    """One array without a name."""

    def __init__(self, dtype: str, shape: tuple[int, ...]) -> None:
        import numpy

        self._numpy = numpy
        self.dtype = numpy.dtype(dtype)
        self.shape = shape

    def array(self, form: str, data: Any) -> Any:
        """Return the array."""
        if form not in (INPUTS, INSTANCES) or type(data) is not list or not data or type(data[0]) is dict:
            return None
        made = self._numpy.array(data, dtype=self.dtype)
        fits = len(made.shape) == len(self.shape) and all(
            wanted in (-1, length) for wanted, length in zip(self.shape, made.shape, strict=True)
        )
        return made if fits else None


def compiled(schema: Schema | None) -> Decoder | None:
    """Return the short way for a schema; None where it has none."""
    if schema is None:
        return None
    if schema.is_tensor_spec():
        spec = schema.inputs[0]
        if len(schema) == 1 and isinstance(spec, TensorSpec) and spec.name is None and spec.dtype in ("float32", "float64"):
            return Tensor(spec.dtype, spec.shape)
        return None
    columns = [spec for spec in schema if isinstance(spec, ColSpec)]
    if not schema.has_input_names() or not all(spec.required for spec in columns):
        return None
    if not all(spec.type is DataType.double or spec.type in _WHOLE for spec in columns):
        return None
    names = tuple(str(spec.name) for spec in columns)
    return Columns(
        names,
        {at: str(spec.type.value) for at, spec in enumerate(columns) if isinstance(spec.type, DataType) and spec.type in _WHOLE},
    )
