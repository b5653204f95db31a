"""A change as the sections of a report: see :mod:`runfolio.review.parts` for what they are made of.

Nothing is cut without a count, and nothing is left out but what there is none of.

>>> report_sections(Change(span), ReportOptions())                                         # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runfolio.review.change import Change
from runfolio.review.options import ReportOptions
from runfolio.review.parts import Section
from runfolio.review.sections.alarms import alarms
from runfolio.review.sections.ends import footer, verdict
from runfolio.review.sections.gates import gates
from runfolio.review.sections.promotions import promotions
from runfolio.review.sections.results import chart, results
from runfolio.review.sections.runs import runs
from runfolio.review.sections.surroundings import artifacts, code, data, environment

__all__ = ["report_sections"]

_SECTIONS: Mapping[str, Callable[[Change, ReportOptions], Section | None]] = {
    "verdict": verdict, "alarms": alarms, "promotions": promotions, "gates": gates, "results": results, "chart": chart, "runs": runs,
    "environment": environment, "data": data, "code": code, "artifacts": artifacts, "footer": footer,
}  # fmt: skip


def report_sections(change: Change, options: ReportOptions) -> tuple[Section, ...]:
    """Return the sections of a report on a change that have something to say.

    Parameters
    ----------
    change : Change
    options : ReportOptions
        Which, in which order, and how long.
    """
    made = (_SECTIONS[name](change, options) for name in options.sections)
    return tuple(section for section in made if section is not None)
