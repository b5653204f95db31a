"""What a filter means, on one record at a time. The index and the site answer faster and must answer the same."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.query.grammar import DATASETS, METRICS, PARAMS, TAGS, Clause, Filter
from runfolio.records.experiments import DEFAULT_EXPERIMENT_ID, DEFAULT_SLUG, Experiment
from runfolio.records.runs import DatasetInput, Run


@dataclass(frozen=True, slots=True)
class Listed:
    """Something else that filters may be asked of, by what they may ask: a registered model, or a version of one.

    Parameters
    ----------
    attributes : Mapping of str to str, int or None
    tags : Mapping of str to str
    item : object
        What it stands for.
    """

    attributes: Mapping[str, str | int | None]
    tags: Mapping[str, str]
    item: Any


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def matches(filter: Filter, record: Run | Experiment | Listed, experiment_ids: Mapping[str, str] | None = None) -> bool:
    """Tell whether every clause holds for a record.

    Parameters
    ----------
    filter : Filter
        Of the record's kind.
    record : Run, Experiment or Listed
    experiment_ids : Mapping of str to str, optional
        The id of each experiment by slug, where it is not the slug; needed only for ``attributes.experiment_id`` of runs whose
        experiment was imported.
    """
    return all(_holds(clause, record, experiment_ids) for clause in filter.clauses)


def read_value(
    record: Run | Experiment | Listed, entity: str, key: str, experiment_ids: Mapping[str, str] | None = None
) -> str | float | None:
    """Return the value of a key of a record, or None where it is missing.

    Parameters
    ----------
    record : Run, Experiment or Listed
    entity, key : str
        As in a clause, but not a dataset.
    experiment_ids : Mapping of str to str, optional
        See :func:`matches`.
    """
    if isinstance(record, Listed):
        return record.tags.get(key) if entity == TAGS else record.attributes[key]
    if isinstance(record, Experiment):
        return record.tags.get(key) if entity == TAGS else _EXPERIMENT[key](record)
    if entity == METRICS:
        summary = record.metrics.get(key)
        return None if summary is None else summary.last
    if entity == PARAMS:
        return record.params.get(key)
    if entity == TAGS:
        return record.all_tags.get(key)
    if key == "experiment_id":
        return experiment_id_of(record.experiment, experiment_ids)
    return _RUN[key](record)


def artifact_uri(run_id: str) -> str:
    """Return the URI by which a run's artifacts are named, whatever store holds them."""
    return f"runs:/{run_id}"


def experiment_id_of(slug: str, experiment_ids: Mapping[str, str] | None = None) -> str:
    """Return the id of the experiment in the folder `slug`."""
    found = (experiment_ids or {}).get(slug)
    return found or (DEFAULT_EXPERIMENT_ID if slug == DEFAULT_SLUG else slug)


def fold(text: str) -> str:
    """Return `text` in the form in which ILIKE compares: Unicode's full lower case, with one small sigma.

    The two small sigmas are one letter, and which of them a capital becomes depends on what follows it, so a prefix would
    not match its own continuation.
    """
    return text if text.isascii() and text.islower() else text.lower().replace("ς", "σ")


def compile_like(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    """Make the test for LIKE or ILIKE.

    Parameters
    ----------
    pattern : str
        ``%`` stands for any characters, also none; ``_`` for exactly one (a code point). Nothing escapes them.
    ignore_case : bool
        Compare both sides as :func:`fold` gives them.
    """
    head, *pieces = (fold(pattern) if ignore_case else pattern).split("%")
    starts = _one_of_each(head)
    if not pieces:

        def test(text: str) -> bool:
            return starts.fullmatch(text) is not None

    else:
        # Each piece where it first fits, the last one at the end: linear, where one regular expression would backtrack.
        *middle, tail = pieces
        searches = [_one_of_each(piece) for piece in middle if piece]
        ends = _one_of_each(tail)

        def test(text: str) -> bool:
            found = starts.match(text)
            for search in searches:
                if found is None:
                    return False
                found = search.search(text, found.end())
            last = len(text) - len(tail)
            return found is not None and found.end() <= last and ends.fullmatch(text, last) is not None

    return (lambda text: test(fold(text))) if ignore_case else test


def _one_of_each(piece: str) -> re.Pattern[str]:
    return re.compile("".join("." if letter == "_" else re.escape(letter) for letter in piece), re.DOTALL)


def _holds(clause: Clause, record: Run | Experiment | Listed, experiment_ids: Mapping[str, str] | None) -> bool:
    if clause.entity == DATASETS:
        assert isinstance(record, Run)
        found = [said for item in record.inputs if (said := read_input(item, clause.key)) is not None]
        return not found if clause.operator == "IS NULL" else any(holds_for(clause, said) for said in found)
    value = read_value(record, clause.entity, clause.key, experiment_ids)
    if value is None:
        return clause.operator == "IS NULL"
    return holds_for(clause, value)


def read_input(item: DatasetInput, key: str) -> str | None:
    """Return a dataset's name, digest or context; None where it has no context."""
    return item.context if key == "context" else item.name if key == "name" else item.digest


def holds_for(clause: Clause, value: str | float) -> bool:
    """Tell whether a clause holds for a value that is there."""
    wanted = clause.value
    if clause.operator in _COMPARE:
        return _COMPARE[clause.operator](value, wanted)
    if clause.operator in ("LIKE", "ILIKE"):
        assert isinstance(wanted, str)
        assert isinstance(value, str)
        return compile_like(wanted, ignore_case=clause.operator == "ILIKE")(value)
    if clause.operator in ("IN", "NOT IN"):
        assert isinstance(wanted, tuple)
        return (value in wanted) == (clause.operator == "IN")
    return clause.operator == "IS NOT NULL"


_RUN: dict[str, Callable[[Run], str | int | None]] = {
    "run_id": lambda run: run.run_id,
    "run_name": lambda run: run.name or None,
    "status": lambda run: run.status.value,
    "user_id": lambda run: run.user or None,
    "artifact_uri": lambda run: artifact_uri(run.run_id),
    "start_time": lambda run: run.start,
    "end_time": lambda run: run.end,
    "lifecycle_stage": lambda run: run.lifecycle.value,
}
_EXPERIMENT: dict[str, Callable[[Experiment], str | int | None]] = {
    "name": lambda experiment: experiment.name,
    "experiment_id": lambda experiment: experiment.experiment_id,
    "creation_time": lambda experiment: experiment.created or None,
    "last_update_time": lambda experiment: experiment.updated or None,
}
