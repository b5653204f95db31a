"""The words of the filter language: entities, their aliases, attributes and operators, as tables.

Source: ``mlflow/utils/search_utils.py`` (3.18). Beyond MLflow: ``IN`` and ``NOT IN`` on every text, ``IS NULL`` on everything,
the attributes ``experiment_id`` and ``lifecycle_stage`` of a run.
"""

from __future__ import annotations

from typing import Literal

from runfolio._dataclass import dataclass

Kind = Literal["runs", "experiments", "models", "versions"]
Value = str | int | float | tuple[str, ...] | None

METRICS, PARAMS, TAGS, ATTRIBUTES, DATASETS = "metrics", "params", "tags", "attributes", "datasets"

_ATTRIBUTES = {"attribute": ATTRIBUTES, "attributes": ATTRIBUTES, "attr": ATTRIBUTES}
_TAGS = {"tag": TAGS, "tags": TAGS}
ENTITIES: dict[Kind, dict[str, str]] = {
    "runs": {
        "metric": METRICS,
        "metrics": METRICS,
        "param": PARAMS,
        "params": PARAMS,
        "parameter": PARAMS,
        "parameters": PARAMS,
        **_TAGS,
        **_ATTRIBUTES,
        "run": ATTRIBUTES,
        "dataset": DATASETS,
        "datasets": DATASETS,
    },
    "experiments": {**_TAGS, **_ATTRIBUTES, "experiment": ATTRIBUTES},
    "models": {**_TAGS, **_ATTRIBUTES, "model": ATTRIBUTES},
    "versions": {**_TAGS, **_ATTRIBUTES, "version": ATTRIBUTES},
}
"""Every spelling of an entity (in lower case) and its one name."""

_RUN_ATTRIBUTES = (
    "run_id",
    "run_name",
    "status",
    "user_id",
    "artifact_uri",
    "start_time",
    "end_time",
    "experiment_id",
    "lifecycle_stage",
)
_EXPERIMENT_ATTRIBUTES = ("name", "experiment_id", "creation_time", "last_update_time")
_MODEL_ATTRIBUTES = ("name", "creation_timestamp", "last_updated_timestamp")
_VERSION_ATTRIBUTES = (
    "name",
    "run_id",
    "source_path",
    "version_number",
    "current_stage",
    "creation_timestamp",
    "last_updated_timestamp",
)
ATTRIBUTE_NAMES: dict[Kind, dict[str, str]] = {
    "runs": {**{name: name for name in _RUN_ATTRIBUTES}, "run name": "run_name", "created": "start_time"},
    "experiments": {name: name for name in _EXPERIMENT_ATTRIBUTES},
    "models": {**{name: name for name in _MODEL_ATTRIBUTES}, "timestamp": "last_updated_timestamp"},
    "versions": {**{name: name for name in _VERSION_ATTRIBUTES}, "timestamp": "last_updated_timestamp", "source": "source_path"},
}
"""Every spelling of an attribute (in lower case) and its one name."""

NUMERIC_ATTRIBUTES = frozenset(
    "start_time end_time creation_time last_update_time version_number creation_timestamp last_updated_timestamp".split()
)
DATASET_FIELDS = ("name", "digest", "context")

COMPARISONS = ("=", "!=", ">", ">=", "<", "<=")
NUMBER_OPERATORS = (*COMPARISONS, "IS NULL", "IS NOT NULL")
TEXT_OPERATORS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition.

    Parameters
    ----------
    entity : str
        ``metrics``, ``params``, ``tags``, ``attributes`` or ``datasets``.
    key : str
        The metric's, param's or tag's key; the attribute's name; ``name``, ``digest`` or ``context`` of a dataset.
    operator : str
        One of `NUMBER_OPERATORS` or `TEXT_OPERATORS`.
    value : str, int, float, tuple of str or None
        A number for numbers, text for text, a tuple for ``IN`` and ``NOT IN``, None for ``IS NULL`` and ``IS NOT NULL``.
    """

    entity: str
    key: str
    operator: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Filter:
    """All of its clauses must hold; no clause at all holds for everything.

    Parameters
    ----------
    clauses : tuple of Clause
    kind : "runs", "experiments", "models" or "versions"
    text : str
        What the user wrote.
    """

    clauses: tuple[Clause, ...] = ()
    kind: Kind = "runs"
    text: str = ""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One key of an order.

    Parameters
    ----------
    entity, key : str
        As in :class:`Clause`, but never a dataset.
    ascending : bool
    """

    entity: str
    key: str
    ascending: bool = True


def is_number(entity: str, key: str) -> bool:
    """Tell whether values of this key are numbers (the others are text)."""
    return entity == METRICS or (entity == ATTRIBUTES and key in NUMERIC_ATTRIBUTES)
