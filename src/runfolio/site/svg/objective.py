"""How an experiment's objective went, as it is shown without scripts."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from runfolio.site.svg.histogram import histogram
from runfolio.site.svg.scatter import scatter

POINTS = 150
"""Each is 60 bytes of a page whose first rows shall be there at once."""


def objective_charts(metric: str, values: Sequence[float], baseline: int | None) -> list[tuple[str, Markup]]:
    """Return titles and charts of an objective over an experiment's runs.

    Parameters
    ----------
    metric : str
        Its name.
    values : sequence of float
        One a run, oldest first; NaN where it has none.
    baseline : int or None
        Which of them is the baseline's.
    """
    points = [(float(number), value) for number, value in enumerate(values, 1)]
    marked = () if baseline is None else (baseline,)
    charts = (
        (f"{metric} over the runs", scatter(points, "run", metric, marked, POINTS)),
        (f"How {metric} is spread", histogram(values, metric)),
    )
    return [(title, svg) for title, svg in charts if svg]
