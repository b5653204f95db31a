"""A change as OpenMetrics text: what GitLab's metrics report shows beside the numbers of the target branch, and any scraper reads.

Source: the OpenMetrics specification 1.0, sections "ABNF" and "Escaping". One gauge a measure, one sample an experiment or promotion.

>>> print(openmetrics(change), end="")                                                     # doctest: +SKIP
# HELP runfolio_runs_added New runs of the experiment.
# TYPE runfolio_runs_added gauge
runfolio_runs_added{experiment="wine"} 10
# EOF
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import field

from runfolio._dataclass import dataclass
from runfolio.policy.verdict import FAILED
from runfolio.records.visible import visible
from runfolio.review.change import Change, ExperimentChange
from runfolio.review.marks import VALUE, shorten

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Family:
    name: str
    help: str
    samples: dict[Labels, float] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        if self.samples:
            yield f"# HELP {self.name} {self.help}"
            yield f"# TYPE {self.name} gauge"
            for labels, value in sorted(self.samples.items()):
                shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)
                yield f"{self.name}{{{shown}}} {_number(value)}" if shown else f"{self.name} {_number(value)}"


def openmetrics(change: Change) -> str:
    """Return the numbers of a change.

    Parameters
    ----------
    change : Change

    Returns
    -------
    str
        Ends with ``# EOF`` and a line end.
    """
    added = _Family("runfolio_runs_added", "New runs of the experiment.")
    failed = _Family("runfolio_runs_failed", "New runs of the experiment that failed or were killed.")
    best = _Family("runfolio_objective_best", "Mean of the objective over the best new configuration.")
    baseline = _Family("runfolio_objective_baseline", "Mean of the objective over the baseline.")
    gap = _Family("runfolio_objective_difference", "Best less baseline.")
    gates = _Family("runfolio_gates_failed", "Gates of the base's policy that refuse the promotion.")
    alarms = _Family("runfolio_alarms", "Existing records edited or gone, damage, disguise, and changes of the rules.")
    for item in change.experiments:
        labels = (("experiment", _shown(item.slug)),)
        added.samples[labels] = len(item.added)
        failed.samples[labels] = item.failed
        _objective(item, best, baseline, gap)
    for promotion in change.promotions:
        if promotion.verdict:
            where = (("model", _shown(promotion.model)), ("stage", _shown(promotion.stage)), ("version", str(promotion.version)))
            gates.samples[where] = sum(gate.state == FAILED for gate in promotion.verdict.gates)
    alarms.samples[()] = len(change.alarms)
    families = (added, failed, best, baseline, gap, gates, alarms)
    return "\n".join([line for family in families for line in family.lines()] + ["# EOF", ""])


def _objective(item: ExperimentChange, best: _Family, baseline: _Family, gap: _Family) -> None:
    if item.objective is None or item.verdict is None:
        return
    labels = (
        ("direction", item.objective.direction), ("experiment", _shown(item.slug)), ("metric", _shown(item.objective.metric)),
    )  # fmt: skip
    for family, value in (
        (best, item.verdict.after.mean if item.verdict.after else None),
        (baseline, item.verdict.before.mean if item.verdict.before else None),
        (gap, item.verdict.difference),
    ):
        if value is not None:
            family.samples[labels] = value


def _shown(text: str) -> str:
    return shorten(visible(text), VALUE)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
