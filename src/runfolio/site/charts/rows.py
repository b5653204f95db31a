"""The runs of an experiment as a chart sees them, in Python and in static pictures; the pages' script makes the same rows.

A run is a row. Its columns are named as in filters (``metrics.accuracy``, ``params.lr``, ``tags.team``), attributes without their
prefix (``run_id``, ``run_name``, ``status``, ``start_time``, ``duration``). Params whose texts are all numbers are numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runfolio._pattern import pattern
from runfolio.site.columns import MAX_TEXT, Cells
from runfolio.site.spelling import SPECIAL

if TYPE_CHECKING:
    from runfolio.site.gather import ExperimentData, Site

NUMBER = pattern(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*\Z")
Columns = dict[str, list[Any]]


def columns_of(site: Site, item: ExperimentData, keys: Sequence[str] | None = None) -> Columns:
    """Return the columns of an experiment's runs, in the order of their start; None where a run has no value.

    Parameters
    ----------
    site : Site
    item : ExperimentData
    keys : sequence of str, optional
        Only these columns; all by default.
    """
    found = site.columns(item.rows)
    wanted = sorted(found) if keys is None else [key for key in keys if key in found]
    made: Columns = {"run_id": [row.run_id for row in item.rows]}
    for key in wanted:
        made[key.removeprefix("attributes.")] = _column(key, found[key], len(item.rows))
    return made


def _column(key: str, cells: Cells, length: int) -> list[Any]:
    values = cells.values
    if cells.kind == "num":
        values = [SPECIAL[value] if isinstance(value, str) else value for value in values]
    elif key.startswith("params.") and all(map(NUMBER.match, values)):
        values = [float(value) for value in values]
    elif cells.kind == "text":
        values = [value[:MAX_TEXT] for value in values]
    made: list[Any] = [None] * length
    for row, value in zip(cells.rows, values, strict=True):
        made[row] = value
    return made


def nested(columns: Columns) -> list[dict[str, Any]]:
    r"""Return rows in which a column is found as ``metrics\.loss``, and, as Vega reads a plain dot, as ``metrics.loss``.

    Examples
    --------
    >>> nested({"metrics.loss": [0.5]})
    [{'metrics.loss': 0.5, 'metrics': {'loss': 0.5}}]
    """
    length = len(next(iter(columns.values()), []))
    rows: list[dict[str, Any]] = [{} for _ in range(length)]
    for key, values in columns.items():
        entity, dot, name = key.partition(".")
        for row, value in zip(rows, values, strict=True):
            told = None if isinstance(value, float) and (not math.isfinite(value)) else value
            row[key] = told
            row.setdefault(entity if dot else "attributes", {})[name if dot else key] = told
    return rows
