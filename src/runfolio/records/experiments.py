"""Experiments: a name for runs that answer one question, with the metric by which they are judged."""

from __future__ import annotations

from collections.abc import Mapping

from runfolio._dataclass import dataclass, field
from runfolio._typing import Any
from runfolio.records.runs import Lifecycle

DEFAULT_EXPERIMENT_ID = "0"
DEFAULT_EXPERIMENT_NAME = "Default"
DEFAULT_SLUG = "default"


@dataclass(frozen=True, slots=True)
class Objective:
    """The metric by which an experiment's runs are compared.

    Parameters
    ----------
    metric : str
        Key of the metric.
    direction : str
        ``"max"`` or ``"min"``: which way is better.
    replicate : str
        Param whose value alone tells replicates apart; ``"seed"`` by default.
    """

    metric: str
    direction: str = "max"
    replicate: str = "seed"


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment.

    Parameters
    ----------
    experiment_id : str
        The id that the API shows; the slug, but for ``"0"`` and imported experiments.
    slug : str
        Name of its folder and file; never changes.
    name : str
        What people call it; may change.
    created, updated : int
        Milliseconds since the epoch, UTC; 0 where it is not known.
    description : str
    tags : Mapping of str to str
    objective : Objective or None
    baseline : str or None
        Run id against which the others are shown.
    lifecycle : Lifecycle
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    experiment_id: str
    slug: str
    name: str
    created: int = 0
    updated: int = 0
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    objective: Objective | None = None
    baseline: str | None = None
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    extra: Mapping[str, Any] = field(default_factory=dict)
