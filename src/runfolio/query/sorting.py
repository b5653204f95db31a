"""Order: numbers, then NaN, then what is missing, in both directions; ties by a fixed tail, so that pages are stable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import TypeVar

from runfolio.query.evaluate import Listed, read_value
from runfolio.query.grammar import ATTRIBUTES, OrderKey
from runfolio.records.experiments import Experiment
from runfolio.records.runs import Run

RUN_ORDER = (OrderKey(ATTRIBUTES, "start_time", False), OrderKey(ATTRIBUTES, "run_id"))
"""What decides between runs that the asked keys leave equal: newest first, then by id."""

EXPERIMENT_ORDER = (OrderKey(ATTRIBUTES, "creation_time", False), OrderKey(ATTRIBUTES, "experiment_id", False))
"""The same for experiments."""

R = TypeVar("R", Run, Experiment, Listed)


def sort_runs(runs: Iterable[Run], order: Sequence[OrderKey] = (), experiment_ids: Mapping[str, str] | None = None) -> list[Run]:
    """Order runs.

    Parameters
    ----------
    runs : iterable of Run
    order : sequence of OrderKey
        The first key weighs most; what it leaves equal goes by :data:`RUN_ORDER`.
    experiment_ids : Mapping of str to str, optional
        See :func:`runfolio.query.matches`.
    """
    return _sort(list(runs), (*order, *RUN_ORDER), experiment_ids)


def sort_experiments(experiments: Iterable[Experiment], order: Sequence[OrderKey] = ()) -> list[Experiment]:
    """Order experiments; what `order` leaves equal goes newest first."""
    return _sort(list(experiments), (*order, *EXPERIMENT_ORDER), None)


def sort_listed(listed: Iterable[Listed], order: Sequence[OrderKey] = ()) -> list[Listed]:
    """Order registered models or versions; what `order` leaves equal stays in the order given."""
    return _sort(list(listed), tuple(order), None)


def _sort(records: list[R], order: Sequence[OrderKey], experiment_ids: Mapping[str, str] | None) -> list[R]:
    # From the least key to the first, each time with a sort that keeps the order of equals (also when reversed).
    for key in reversed(order):
        numbers: list[tuple[str | float, R]] = []
        nans: list[R] = []
        missing: list[R] = []
        for record in records:
            value = read_value(record, key.entity, key.key, experiment_ids)
            if value is None:
                missing.append(record)
            elif isinstance(value, float) and isnan(value):
                nans.append(record)
            else:
                numbers.append((value, record))
        numbers.sort(key=lambda pair: pair[0], reverse=not key.ascending)
        records = [record for _, record in numbers] + nans + missing
    return records
