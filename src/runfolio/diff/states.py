"""Two states of a folio, compared field by field; and the way from one to the other.

A state is the runs by id and the experiments by slug. Fields are those of the written records, so a difference says exactly
what a reviewer would see change in a file, and ``apply_diff(before, diff_states(before, after))`` is ``after`` again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from runfolio._dataclass import dataclass, field
from runfolio.errors import UsageError
from runfolio.formats.experiments import experiment_fields, experiment_of_fields
from runfolio.formats.runs import run_fields, run_of_fields
from runfolio.records.experiments import Experiment
from runfolio.records.runs import Run

T = TypeVar("T")
Fields = dict[str, Any]
_OPEN_SECTIONS = frozenset("params metrics tags artifacts code entry environment".split())
"""Sections that read the same whether they are empty or missing, so that their entries are compared one by one."""


class _Absent:
    """The one value :data:`ABSENT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""Stands in a :class:`FieldChange` where there is no value."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that changed.

    Parameters
    ----------
    path : tuple of str
        ``("metrics", "accuracy", "last")``.
    old, new : object
        JSON values; :data:`ABSENT` where there was or is none.
    """

    path: tuple[str, ...]
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class StateDiff:
    """What changed between two states.

    Parameters
    ----------
    runs_added, runs_deleted : Mapping of run id to Run
    runs_edited : Mapping of run id to tuple of FieldChange
    experiments_added, experiments_removed : Mapping of slug to Experiment
    experiments_changed : Mapping of slug to tuple of FieldChange
    """

    runs_added: Mapping[str, Run] = field(default_factory=dict)
    runs_edited: Mapping[str, tuple[FieldChange, ...]] = field(default_factory=dict)
    runs_deleted: Mapping[str, Run] = field(default_factory=dict)
    experiments_added: Mapping[str, Experiment] = field(default_factory=dict)
    experiments_changed: Mapping[str, tuple[FieldChange, ...]] = field(default_factory=dict)
    experiments_removed: Mapping[str, Experiment] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything changed."""
        runs = self.runs_added or self.runs_edited or self.runs_deleted
        return bool(runs or self.experiments_added or self.experiments_changed or self.experiments_removed)


def diff_states(
    before: Mapping[str, Run],
    after: Mapping[str, Run],
    experiments_before: Mapping[str, Experiment] | None = None,
    experiments_after: Mapping[str, Experiment] | None = None,
) -> StateDiff:
    """Compare two states.

    Parameters
    ----------
    before, after : Mapping of run id to Run
    experiments_before, experiments_after : Mapping of slug to Experiment, optional

    Returns
    -------
    StateDiff
        In the order of ids and slugs.
    """
    runs = _compare(before, after, run_fields)
    experiments = _compare(experiments_before or {}, experiments_after or {}, experiment_fields)
    return StateDiff(*runs, *experiments)


def apply_diff(
    before: Mapping[str, Run], diff: StateDiff, experiments_before: Mapping[str, Experiment] | None = None
) -> tuple[dict[str, Run], dict[str, Experiment]]:
    """Make the later state of the earlier one.

    Parameters
    ----------
    before : Mapping of run id to Run
    diff : StateDiff
    experiments_before : Mapping of slug to Experiment, optional

    Returns
    -------
    runs : dict of run id to Run
    experiments : dict of slug to Experiment

    Raises
    ------
    UsageError
        If the difference was not made from this state: what it edits or deletes is missing or not as it was, or what it adds
        is there already.
    """
    runs = _apply(before, diff.runs_added, diff.runs_edited, diff.runs_deleted, run_fields, run_of_fields)
    experiments = _apply(
        experiments_before or {},
        diff.experiments_added,
        diff.experiments_changed,
        diff.experiments_removed,
        experiment_fields,
        lambda value, key: experiment_of_fields(value, key, f"experiments/{key}.yaml"),
    )
    return runs, experiments


def diff_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Compare the fields of one record before and after, in the order of their names."""
    made: list[FieldChange] = []
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key, ABSENT), new.get(key, ABSENT)
        if key in _OPEN_SECTIONS:
            one, other = ({} if one is ABSENT else one), ({} if other is ABSENT else other)
        _walk((key,), one, other, made)
    return tuple(made)


def _walk(path: tuple[str, ...], old: Any, new: Any, made: list[FieldChange]) -> None:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            _walk((*path, key), old.get(key, ABSENT), new.get(key, ABSENT), made)
    elif not _same(old, new):
        made.append(FieldChange(path, old, new))


def _same(old: Any, new: Any) -> bool:
    """Compare as written: ``1`` is not ``1.0`` is not ``true``, and ``-0.0`` is not ``0.0``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and repr(old) == repr(new)


def _compare(
    before: Mapping[str, T], after: Mapping[str, T], fields: Callable[[T], Fields]
) -> tuple[dict[str, T], dict[str, tuple[FieldChange, ...]], dict[str, T]]:
    added = {key: after[key] for key in sorted(after.keys() - before.keys())}
    removed = {key: before[key] for key in sorted(before.keys() - after.keys())}
    edited: dict[str, tuple[FieldChange, ...]] = {}
    for key in sorted(before.keys() & after.keys()):
        if before[key] is not after[key]:
            changes = diff_fields(fields(before[key]), fields(after[key]))
            if changes:
                edited[key] = changes
    return added, edited, removed


def _apply(
    before: Mapping[str, T],
    added: Mapping[str, T],
    edited: Mapping[str, tuple[FieldChange, ...]],
    removed: Mapping[str, T],
    fields: Callable[[T], Fields],
    read: Callable[[Fields, str], T],
) -> dict[str, T]:
    unknown = [key for key in (*edited, *removed) if key not in before] + [key for key in added if key in before]
    if unknown:
        raise UsageError(f"The difference was made from another state: {', '.join(unknown[:5])} does not fit. Compare again.")
    made = {key: value for key, value in before.items() if key not in removed}
    for key, changes in edited.items():
        value = fields(before[key])
        for change in changes:
            _set(value, change, key)
        made[key] = read(value, key)
    made.update(added)
    return made


def _set(value: Fields, change: FieldChange, key: str) -> None:
    """Carry out one change in place; the mappings on its path are copied, for the record before stays as it is."""
    *parents, last = change.path
    for name in parents:
        value[name] = dict(value.get(name, {}))
        value = value[name]
    if not _same(value.get(last, ABSENT), change.old):
        raise UsageError(
            f"The difference was made from another state: {key}: {'.'.join(change.path)} is not as it was. Compare again."
        )
    if change.new is ABSENT:
        value.pop(last, None)
    else:
        value[last] = change.new
