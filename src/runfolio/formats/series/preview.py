"""The preview: ``<run-id>.series.json`` beside a run's record, about 16 KB at most.

Where all points fit it is *whole* and the only copy. Otherwise it is there to be looked at: each metric by the least
and the greatest value of equal stretches of its points, which keeps every spike (LTTB missed the true maximum in
tests), with its first and last point; and the object that the record names holds every point. A preview that is not
whole leaves out metrics of one point, which their summary in the record says in full, and, where even the extremes do
not fit, the last metrics in sorted order, with their number in ``left_out``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runfolio._dataclass import dataclass, field
from runfolio._typing import Any
from runfolio.errors import DamagedError
from runfolio.formats.canonical import dump, load
from runfolio.formats.runs import check_schema
from runfolio.formats.series.columns import differences, read_columns, spell_values
from runfolio.records.runs import MetricPoint

SCHEMA = 1
MAX_BYTES = 16 * 1024
_KNOWN = frozenset(("schema", "run_id", "whole", "points", "metrics", "left_out"))


@dataclass(frozen=True, slots=True)
class Series:
    """The metric histories that are committed beside a run's record.

    Parameters
    ----------
    run_id : str
    whole : bool
        Whether every point of every metric is here.
    total : int
        Points of the run, here or not.
    metrics : Mapping of str to sequence of MetricPoint
        In the order in which they were logged.
    left_out : int
        Metrics of more than one point that are not here.
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    run_id: str
    whole: bool
    total: int
    metrics: Mapping[str, Sequence[MetricPoint]] = field(default_factory=dict)
    left_out: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def points(self, key: str) -> list[MetricPoint]:
        """Return the points of a metric; none where it is not here (see `whole`)."""
        return list(self.metrics.get(key, ()))


def encode_series(series: Series) -> bytes:
    """Write the file in the canonical spelling, one metric a line."""
    made: dict[str, Any] = dict(series.extra)
    made.update(schema=SCHEMA, run_id=series.run_id, whole=series.whole, points=series.total)
    made["metrics"] = {key: _columns(points) for key, points in series.metrics.items()}
    if series.left_out:
        made["left_out"] = series.left_out
    return dump(made)


def decode_series(data: bytes, where: str, *, trusted: bool = False) -> Series:
    """Read the file.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.
    trusted : bool, optional
        Skip the check of the canonical spelling.

    Raises
    ------
    DamagedError
        If it is not such a file; the message names every wrong field.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    value = load(data, where, trusted=trusted)
    check_schema(value, SCHEMA, where)
    faults: list[str] = []
    run_id = _typed(value, "run_id", str, "", faults)
    whole = _typed(value, "whole", bool, False, faults)
    total = _typed(value, "points", int, 0, faults)
    left_out = _typed({"left_out": 0, **value}, "left_out", int, 0, faults)
    metrics: dict[str, list[MetricPoint]] = {}
    for key, columns in _typed(value, "metrics", dict, {}, faults).items():
        try:
            metrics[key] = read_columns(key, columns, step_differences=False)
        except ValueError as error:
            faults.append(f"metrics: {key}: {error}")
    here = sum(map(len, metrics.values()))
    if not faults and (here > total or (whole and (here != total or left_out))):
        faults.append(f"points: {total} are said, {here} are here, and whole is {str(whole).lower()}")
    if faults:
        raise DamagedError("\n".join(f"{where}: {fault}" for fault in faults))
    return Series(run_id, whole, total, metrics, left_out, {key: value[key] for key in value if key not in _KNOWN})


def _columns(points: Sequence[MetricPoint]) -> dict[str, Any]:
    return {
        "steps": [point.step for point in points],
        "times": differences([point.timestamp for point in points]),
        "values": spell_values([point.value for point in points]),
    }


def _typed(value: Mapping[str, Any], key: str, kind: type, default: Any, faults: list[str]) -> Any:
    if key not in value:
        faults.append(f"{key}: the field is missing")
    elif type(value[key]) is not kind or (kind is int and value[key] < 0):
        kinds = {str: "text", bool: "true or false", int: "a whole number from 0", dict: "an object"}
        faults.append(f"{key}: {kinds[kind]} is expected, found {value[key]!r:.60}")
    else:
        return value[key]
    return default
