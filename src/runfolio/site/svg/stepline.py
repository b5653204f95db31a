"""The best value so far, as a line of steps."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from runfolio.site.svg.plot import share
from runfolio.site.words import number_words

WIDTH, HEIGHT, EDGE = 240, 44, 4


def step_line(values: Sequence[float], direction: str, title: str) -> Markup:
    """Draw the values that were the best when they came, each held until the next.

    Parameters
    ----------
    values : sequence of float
        Each better than the one before.
    direction : str
        ``max`` or ``min``.
    title : str
        What the values are.

    Returns
    -------
    Markup
        An ``<svg>`` element, or nothing where there are fewer than two values.
    """
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    across = (WIDTH - 2 * EDGE) / len(values)
    points = [
        (EDGE + at * across, HEIGHT - EDGE - (share(value, low, high) if high > low else 0.0) * (HEIGHT - 2 * EDGE))
        for at, value in enumerate(values)
    ]
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for x, y in points[1:]:
        path += f"H{x:.1f}V{y:.1f}"
    path += f"H{WIDTH - EDGE:.1f}"
    words = f"{title}: from {number_words(values[0])} to {number_words(values[-1])} in {len(values)} steps"
    area = f"{path}V{HEIGHT}H{EDGE}Z"
    return Markup(
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{escape(words)}">'
        f'<path class="spark-area" d="{area}"/><path class="spark-line" d="{path}"/></svg>'
    )
