"""A metric's course in the height of a line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from runfolio.site.spelling import spelled
from runfolio.site.svg.plot import share
from runfolio.site.thinning import thin

WIDTH, HEIGHT, EDGE = 96, 22, 3
MOST = 64


def sparkline(values: Sequence[float | str]) -> Markup:
    """Draw a metric's values, equally far apart; it is decoration, since the numbers stand beside it.

    Parameters
    ----------
    values : sequence of float or str
        Text stands for NaN and infinities, which are left as gaps.

    Returns
    -------
    Markup
        An ``<svg>`` element, or nothing where there are fewer than two values to draw.
    """
    shown = [spelled(values[at]) for at in thin(values, MOST)]
    finite = [value for value in shown if math.isfinite(value)]
    if len(finite) < 2:
        return Markup("")
    low, high = min(finite), max(finite)
    path, pen = "", "M"
    for at, value in enumerate(shown):
        if not math.isfinite(value):
            pen = "M"
            continue
        x = EDGE + at * (WIDTH - 2 * EDGE) / (len(shown) - 1)
        y = HEIGHT - EDGE - (share(value, low, high) if high > low else 0.5) * (HEIGHT - 2 * EDGE)
        path += f"{pen}{x:.1f} {y:.1f}"
        pen = "L"
    return Markup(
        f'<svg class="mini" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true"><path d="{path}"/></svg>'
    )
