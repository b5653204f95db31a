"""What a table shows of a run, without all the rest that its record holds."""

from __future__ import annotations

import json
from collections.abc import Mapping

from runfolio._typing import NamedTuple
from runfolio.records.runs import Run


class RunBrief(NamedTuple):
    """A run as a row of a table; the fields are those of :class:`~runfolio.records.Run`, but for these.

    Attributes
    ----------
    status, lifecycle : str
        The word.
    metrics : Mapping of str to float
        The last values.
    tags_json : str
        Its `all_tags` as JSON: few tables show one.
    """

    run_id: str
    experiment: str
    name: str
    status: str
    start: int
    end: int | None
    lifecycle: str
    user: str
    parent: str | None
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags_json: str = "{}"

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags as MLflow shows them, as :attr:`Run.all_tags` has them."""
        made: dict[str, str] = json.loads(self.tags_json)
        return made


def brief_of(run: Run) -> RunBrief:
    """Return what a table shows of a run.

    Examples
    --------
    >>> brief_of(Run("ab12", "wine", params={"depth": "3"})).params
    {'depth': '3'}
    """
    return RunBrief(
        run.run_id, run.experiment, run.name, run.status.value, run.start, run.end, run.lifecycle.value, run.user, run.parent,
        last_values(run), run.params, json.dumps(run.all_tags),
    )  # fmt: skip


def last_values(run: Run) -> dict[str, float]:
    """Return the last value of each metric."""
    return {key: summary.last for key, summary in run.metrics.items()}
