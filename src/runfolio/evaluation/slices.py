"""Parts of the rows that are looked at on their own: by the values of a column, by an expression, or as they are given.

>>> import pandas
>>> frame = pandas.DataFrame({"age": [25, 70, 41], "sex": ["f", "m", "f"]})
>>> [(part.name, part.chosen.tolist()) for part in slices_of(frame, ["sex", "age > 40"])]
[('sex = f', [True, False, True]), ('sex = m', [False, True, False]), ('age > 40', [False, True, True])]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.evaluation.subjects import faults_of

MOST_VALUES, MOST_SLICES, MANY = 20, 200, 10
"""Values of one column that make slices, most frequent first; slices in all; values of a number beyond which it is cut into quarters."""
_NOT_READ = (NameError, SyntaxError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError)
"""What ``DataFrame.eval`` raises of an expression that it does not understand."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the rows.

    Parameters
    ----------
    name : str
    chosen : ndarray of bool, shape (n,)
    """

    name: str
    chosen: Any


def slices_of(frame: Any, wanted: Any) -> list[Slice]:
    """Return the slices that were asked for; those without a row among them.

    Parameters
    ----------
    frame : DataFrame
        All columns of the data.
    wanted : str, sequence, or Mapping of str to str, callable or ndarray of bool
        Names of columns, and expressions as of ``DataFrame.eval``; with names of one's own where it is a mapping.

    Raises
    ------
    UsageError
        Naming what is no column and no expression, or does not choose rows.
    """
    if wanted is None:
        return []
    named: Iterable[tuple[str, Any]]
    if isinstance(wanted, Mapping):
        named = [(str(name), value) for name, value in wanted.items()]
    else:
        named = [("", value) for value in ([wanted] if isinstance(wanted, str) or callable(wanted) else wanted)]
    made = [part for name, value in named for part in _parts(frame, name, value)]
    if len(made) > MOST_SLICES:
        raise UsageError(f"slices: {len(made)} are more than {MOST_SLICES}. Name fewer columns, or expressions.")
    twice = sorted({part.name for part in made if [other.name for other in made].count(part.name) > 1})
    if twice:
        raise UsageError(f"slices: {', '.join(twice)}: named twice.")
    return made


def _parts(frame: Any, name: str, value: Any) -> list[Slice]:
    if isinstance(value, str) and value in frame.columns:
        return _by_value(frame[value], name or value)
    if isinstance(value, str):
        return [Slice(name or value, _evaluated(frame, value))]
    if callable(value):
        called = name or str(getattr(value, "__name__", "slice"))
        with faults_of(f"the slice {called!r}"):
            found = value(frame.copy())
        return [Slice(called, _mask(frame, found, called))]
    if not name:
        raise UsageError(
            f"slices: {value!r} is no column, expression or function. To give a mask a name: slices={{'name': mask}}."
        )
    return [Slice(name, _mask(frame, value, name))]


def _evaluated(frame: Any, expression: str) -> Any:
    try:
        # Nothing but the columns is seen: no name of this process.
        found = frame.eval(expression, engine="python", local_dict={}, global_dict={})
    except _NOT_READ as error:
        said = " ".join(str(error).split())
        columns = ", ".join(str(name) for name in list(frame.columns)[:20])
        raise UsageError(
            f"slices: {expression!r} is no column and no expression over columns: {said}. There are: {columns}. "
            "A name with spaces stands in backticks: `mean radius` > 14."
        ) from None
    return _mask(frame, found, expression)


def _mask(frame: Any, found: Any, name: str) -> Any:
    import numpy

    values = numpy.asarray(found)
    if values.shape != (len(frame),) or values.dtype.kind not in "bO":
        raise UsageError(f"slices: {name!r} chooses no rows: one true or false a row is expected, as of 'age > 40'.")
    return values.astype(bool)


def _by_value(column: Any, name: str) -> list[Slice]:
    import numpy
    import pandas

    values = column.nunique(dropna=True)
    if pandas.api.types.is_numeric_dtype(column) and not pandas.api.types.is_bool_dtype(column) and values > MANY:
        return _quarters(column, name)
    counted = column.value_counts(dropna=True)
    kept = sorted(counted.index[:MOST_VALUES], key=lambda value: (-counted[value], str(value)))
    made = [Slice(f"{name} = {value}", (column == value).fillna(False).to_numpy(dtype=bool)) for value in kept]
    rest = len(counted) - len(kept)
    if rest > 0:
        others = column.isin(list(counted.index[MOST_VALUES:])).to_numpy()
        made.append(Slice(f"{name}: {rest} other values", others))
    missing = column.isna().to_numpy()
    return [*made, Slice(f"{name} missing", missing)] if numpy.any(missing) else made


def _quarters(column: Any, name: str) -> list[Slice]:
    import numpy

    values = column.to_numpy(dtype=float, na_value=numpy.nan)
    edges = numpy.unique(numpy.nanquantile(values, [0, 0.25, 0.5, 0.75, 1]))
    made = []
    for at, (low, high) in enumerate(itertools.pairwise(edges)):
        last = at == len(edges) - 2
        chosen = (values >= low) & ((values <= high) if last else (values < high))
        made.append(Slice(f"{name} {low:.4g} to {high:.4g}", chosen))
    missing = numpy.isnan(values)
    return [*made, Slice(f"{name} missing", missing)] if missing.any() else made
